(** * The paper's models are not theorems

    relu-model              Theorem 1 for ReLU with α = β = 1/2 put in:
                            ‖f̃−f‖/‖f‖ <= (κ²)^L [Π (1+δ_k) − 1].  False already for one 2 × 2
                            layer with κ = 1: the ratio is unbounded while δ = 1/2
                            ([relu_model_unbounded]).
    relu-model.jacobian     The same for one 2 × 2 Jacobian: the change is more than ‖J‖_F, whatever
                            small δ is ([relu_model_jacobian_fails]).
    deep-relative-trust     ‖g_l(W+ΔW) − g_l(W)‖/‖g_l(W)‖ <= Π (1+δ_k) − 1, as a statement about
                            every network: false for one weight and the squared loss
                            ([deep_relative_trust_fails]).  So is spectral-relative-trust, the same
                            with ρ in place of δ ([spectral_relative_trust_fails]).
    lemma2.unconditional    Lemma 2 without asking that deep relative trust holds: false, in the
                            same network ([lemma2_unconditional_fails]).

    The network with one weight: f(x) = W x with input 1 and loss 𝓛(W) = (W − y)².
    From W = 2, with ΔW = −1 (so δ = 1/2 and cos θ = 1) and y = 19/10 the gradient changes by 10
    times its size and the loss rises from 1/100 to 81/100.  With y = 0, and ΔW = −1/2 from W = 1,
    deep relative trust holds with equality and Lemma 2 applies ([lemma2_applies]): its hypotheses
    can be met.  With the mean over the segment it applies up to ΔW = −2 and no further
    ([lemma2_mean_applies], [lemma2_mean_sharp]). *)

From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From DRT Require Import Sums Norms Conditioning Transmission Network Descent Witness.
Open Scope R_scope.

(** ** ReLU *)

Definition relu : R -> R := leaky_relu 0.

(** a I + b (quarter turn): a multiple of a rotation. *)
Definition turn (a b : R) : mat := fun i j =>
  if Nat.eqb i j then a else if Nat.ltb j i then b else - b.

Lemma turn_conditioned a b :
  0 < a * a + b * b -> 0 < smin 2 2 (turn a b) /\ conditioned 1 2 2 (turn a b).
Proof.
  intros H. assert (Hr := sqrt_lt_R0 _ H).
  assert (E : forall x, nrm 2 (mv 2 (turn a b) x) = sqrt (a * a + b * b) * nrm 2 x).
  { intros x. unfold nrm, dot, mv, turn; simpl. rewrite <- sqrt_mult_alt by lra. f_equal. ring. }
  assert (Hs : sqrt (a * a + b * b) <= smin 2 2 (turn a b))
    by (apply smin_ge_tall; [lia|]; intros; rewrite E; lra).
  split; [lra|]. unfold conditioned.
  eapply Rle_trans; [apply opnorm_le with (c := sqrt (a * a + b * b))|lra]; [lra|].
  intros; rewrite E; lra.
Qed.

(** W = I, ΔW = half a quarter turn, x = (η, −1): relu(W x) = (η, 0), relu(W̃ x) = (η + 1/2, 0). *)
Theorem relu_model_unbounded B :
  exists W Wt x,
    layer_conditioned 1 2 2 W Wt /\ delta 2 2 W (msub Wt W) = 1 / 2 /\
    let f V := net (fun _ => relu) (fun _ => 2%nat) (fun _ => V) x 0 1 in
    0 < nrm 2 (f W) /\ B < nrm 2 (vsub (f Wt) (f W)) / nrm 2 (f W).
Proof.
  set (eta := / (2 * (B * B + 1))).
  assert (Eeta : eta * (2 * (B * B + 1)) = 1) by (apply Rinv_l; nra).
  assert (Heta : 0 < eta) by (apply Rinv_0_lt_compat; nra).
  assert (Heta1 : eta <= 1 / 2) by nra.
  exists (turn 1 0), (turn 1 (1 / 2)), (fun j => match j with O => eta | _ => -1 end).
  assert (ED : msub (turn 1 (1 / 2)) (turn 1 0) = turn 0 (1 / 2)).
  { apply functional_extensionality; intro i; apply functional_extensionality; intro j.
    unfold msub, turn. destruct (Nat.eqb i j), (Nat.ltb j i); ring. }
  split; [|split].
  - unfold layer_conditioned. rewrite ED. split; [|split]; apply turn_conditioned; lra.
  - unfold delta. rewrite ED.
    assert (Hfro : forall a b, fro 2 2 (turn a b) = sqrt (2 * (a * a + b * b))).
    { intros. unfold fro, dotF, dot, col, turn; simpl. f_equal. ring. }
    rewrite !Hfro. replace (2 * (0 * 0 + 1 / 2 * (1 / 2))) with (1 / 2 * (1 / 2) * 2) by field.
    rewrite sqrt_mult_alt, sqrt_square by lra. replace (2 * (1 * 1 + 0 * 0)) with 2 by ring.
    field. assert (H := sqrt_lt_R0 2 ltac:(lra)). lra.
  - assert (N : forall c v, 0 <= c -> v 0%nat = c -> v 1%nat = 0 -> nrm 2 v = c).
    { intros c v Hc H0 H1. unfold nrm, dot; simpl. rewrite H0, H1.
      replace (0 + c * c + 0 * 0) with (c * c) by ring. apply sqrt_square, Hc. }
    set (x := fun j : nat => match j with O => eta | _ => -1 end).
    set (f := fun V => net (fun _ => relu) (fun _ => 2%nat) (fun _ => V) x 0 1).
    assert (F : forall b, 0 <= b <= 1 / 2 ->
              f (turn 1 b) 0%nat = eta + b /\ f (turn 1 b) 1%nat = 0).
    { intros b Hb. unfold f, x, turn; simpl. unfold vphi, mv, relu, leaky_relu; simpl. split.
      - destruct (Rle_dec _ _); lra.
      - destruct (Rle_dec _ _) as [Hle|]; [|ring].
        assert (b * eta <= 1 / 2 * (1 / 2)) by (apply Rmult_le_compat; lra). lra. }
    destruct (F 0 ltac:(lra)) as [F0 F1]. destruct (F (1 / 2) ltac:(lra)) as [G0 G1].
    intros f'. change f' with f.
    rewrite (N eta (f (turn 1 0))), (N (1 / 2) (vsub _ _)); unfold vsub; try lra.
    split; [exact Heta|].
    replace (1 / 2 / eta) with (B * B + 1) by (unfold eta; field; nra). nra.
Qed.

Lemma derivable_locally f g z d r :
  0 < r -> (forall u, Rabs (u - z) < r -> f u = g u) -> derivable_pt_lim g z d ->
  derivable_pt_lim f z d.
Proof.
  intros Hr E D eps Heps. destruct (D eps Heps) as [delta Hd].
  assert (Hm : 0 < Rmin delta r) by (apply Rmin_glb_lt; [apply cond_pos|exact Hr]).
  exists (mkposreal _ Hm). intros h Hh Hhd. simpl in Hhd.
  assert (H1 := Rmin_l delta r). assert (H2 := Rmin_r delta r).
  rewrite (E (z + h)), (E z); [apply Hd; [exact Hh|lra]| |].
  - rewrite Rminus_diag_eq by reflexivity. rewrite Rabs_R0. exact Hr.
  - replace (z + h - z) with h by ring. lra.
Qed.

Lemma relu_derivative z d : z <> 0 -> d = (if Rlt_dec 0 z then 1 else 0) -> derivable_pt_lim relu z d.
Proof.
  intros Hz ->. assert (Hr := Rabs_pos_lt z Hz).
  apply derivable_locally with (g := fun u => if Rlt_dec 0 z then u else 0) (r := Rabs z); [exact Hr| |].
  - intros u Hu. unfold relu, leaky_relu. destruct (Rlt_dec 0 z) as [Hp|Hn].
    + rewrite (Rabs_right z) in Hu by lra. apply Rabs_def2 in Hu.
      destruct (Rle_dec 0 u); lra.
    + rewrite (Rabs_left1 z) in Hu by lra. apply Rabs_def2 in Hu.
      destruct (Rle_dec 0 u); lra.
  - destruct (Rlt_dec 0 z); [apply derivable_pt_lim_id|apply derivable_pt_lim_const].
Qed.

(** W = I, ΔW = b of a quarter turn, x = (1, −b/2): the second unit is switched on.
    J = diag(1, 0), J̃ = W̃; the bound is κ² [(1+δ) − 1] = b. *)
Theorem relu_model_jacobian_fails b :
  0 < b <= 1 / 2 ->
  let W := turn 1 0 in let Wt := turn 1 b in
  let x := fun j : nat => match j with O => 1 | _ => - (b / 2) end in
  let G := fun (_ i : nat) => match i with O => 1 | _ => 0 end in
  let Gt := fun _ _ : nat => 1 in
  let two := fun _ : nat => 2%nat in
  let J F V := jac two F (fun _ => V) 0 1 in
  derivatives_at (fun _ => relu) two (fun _ => W) no_bias x 0 1 G /\
  derivatives_at (fun _ => relu) two (fun _ => Wt) no_bias x 0 1 Gt /\
  layer_conditioned 1 2 2 W Wt /\ delta 2 2 W (msub Wt W) = b /\
  1 < fro 2 2 (msub (J Gt Wt) (J G W)) / fro 2 2 (J G W).
Proof.
  intros Hb W Wt x G Gt two J.
  assert (ED : msub Wt W = turn 0 b).
  { apply functional_extensionality; intro i; apply functional_extensionality; intro j.
    unfold msub, W, Wt, turn. destruct (Nat.eqb i j), (Nat.ltb j i); ring. }
  assert (Hfro : forall a c, fro 2 2 (turn a c) = sqrt (2 * (a * a + c * c))).
  { intros. unfold fro, dotF, dot, col, turn; simpl. f_equal. ring. }
  split; [|split; [|split; [|split]]].
  - intros j i Hj Hi. replace j with 0%nat by lia. apply relu_derivative.
    + unfold pre, vadd, no_bias, mv, two, W, x, turn; simpl.
      destruct i as [|[|i]]; simpl; [lra|lra|unfold two in Hi; lia].
    + unfold pre, vadd, no_bias, mv, two, W, x, turn, G; simpl.
      destruct i as [|[|i]]; simpl; [| |unfold two in Hi; lia]; destruct (Rlt_dec _ _); lra.
  - intros j i Hj Hi. replace j with 0%nat by lia. apply relu_derivative.
    + unfold pre, vadd, no_bias, mv, two, Wt, x, turn; simpl.
      destruct i as [|[|i]]; simpl; [nra|lra|unfold two in Hi; lia].
    + unfold pre, vadd, no_bias, mv, two, Wt, x, turn, Gt; simpl.
      destruct i as [|[|i]]; simpl; [| |unfold two in Hi; lia]; destruct (Rlt_dec _ _); nra.
  - unfold layer_conditioned. rewrite ED. split; [|split]; apply turn_conditioned; nra.
  - unfold delta. rewrite ED. unfold W. rewrite !Hfro.
    replace (2 * (0 * 0 + b * b)) with (b * b * 2) by ring.
    rewrite sqrt_mult_alt, sqrt_square by nra.
    replace (2 * (1 * 1 + 0 * 0)) with 2 by ring. field.
    assert (H := sqrt_lt_R0 2 ltac:(lra)). lra.
  - assert (EJ : forall F V i j, (i < 2)%nat -> (j < 2)%nat -> J F V i j = dg (F 0%nat) V i j)
      by (intros; apply mm_idm_r; assumption).
    rewrite (fro_ext 2 2 (J G W) (dg (G 0%nat) W)) by (intros; apply EJ; assumption).
    rewrite (fro_ext 2 2 (msub _ _) (msub (dg (Gt 0%nat) Wt) (dg (G 0%nat) W)))
      by (intros; unfold msub; rewrite !EJ by assumption; reflexivity).
    replace (fro 2 2 (dg (G 0%nat) W)) with 1.
    2:{ unfold fro, dotF, dot, col, dg, G, W, turn; simpl.
        match goal with |- _ = sqrt ?e => replace e with 1 by ring end. symmetry; apply sqrt_1. }
    unfold Rdiv. rewrite Rinv_1, Rmult_1_r. rewrite <- sqrt_1 at 1.
    unfold fro, dotF, dot, col, msub, dg, G, Gt, W, Wt, turn; simpl. apply sqrt_lt_1_alt. nra.
Qed.

(** ** The network with one weight *)

Definition one_weight (y : R) (V : nat -> mat) : R :=
  (net (fun _ u => u) (fun _ => 1%nat) V (fun _ => 1) 0 1 0%nat - y)
  * (net (fun _ u => u) (fun _ => 1%nat) V (fun _ => 1) 0 1 0%nat - y).

Definition one_weight_gradient (y : R) (V : nat -> mat) : nat -> mat :=
  fun _ _ _ => 2 * (V 0%nat 0%nat 0%nat - y).

(** The constant weight c. *)
Definition weight (c : R) : nat -> mat := fun _ _ _ => c.

Lemma one_weight_eq y V :
  one_weight y V = (V 0%nat 0%nat 0%nat - y) * (V 0%nat 0%nat 0%nat - y).
Proof. unfold one_weight; simpl. unfold vphi, mv; simpl. ring. Qed.

Lemma one_weight_gradient_at y V :
  gradient_at 1 (fun _ => 1%nat) (fun _ => 1%nat) (one_weight y) V (one_weight_gradient y V).
Proof.
  (* 𝓛(V+H) − 𝓛(V) − g H = H² *)
  intros eps Heps. exists eps. split; [exact Heps|]. intros H.
  unfold psize, pdot, dotF, dot, col, one_weight_gradient; simpl.
  rewrite fro_1_1, !one_weight_eq, !Rplus_0_l. unfold padd, madd.
  set (t := H 0%nat 0%nat 0%nat). set (a := V 0%nat 0%nat 0%nat). intros Ht.
  replace ((a + t - y) * (a + t - y) - (a - y) * (a - y) - 2 * (a - y) * t) with (t * t) by ring.
  rewrite Rabs_mult. apply Rmult_le_compat_r; [apply Rabs_pos|lra].
Qed.

(** With ΔW = e < 0 at W = c > y: cos θ = 1, and the breakdown at t is −t e/(c − y). *)
Lemma one_weight_cos y c e :
  e < 0 -> y < c ->
  cos_theta (fun _ => 1%nat) (fun _ => 1%nat) (weight c) (weight e) (one_weight_gradient y) 0
  = 1.
Proof.
  intros He Hc. unfold cos_theta, cosine. rewrite !fro_1_1.
  unfold dotF, dot, col, mscal, weight, one_weight_gradient; simpl.
  rewrite (Rabs_left e), (Rabs_left (-1 * _)) by lra. field. lra.
Qed.

Lemma one_weight_breakdown y c e t :
  e < 0 -> 0 <= t -> y < c ->
  breakdown (fun _ => 1%nat) (fun _ => 1%nat) (weight c) (weight e) (one_weight_gradient y) 0 t
  = t * - e / (c - y).
Proof.
  intros He Ht Hc. unfold breakdown. rewrite !fro_1_1.
  unfold msub, along, padd, madd, mscal, weight, one_weight_gradient.
  assert (0 <= t * - e) by (apply Rmult_le_pos; lra).
  replace (2 * (c + t * e - y) - 2 * (c - y)) with (- (2 * (t * - e))) by ring.
  rewrite Rabs_Ropp, !Rabs_right by lra. field. lra.
Qed.

(** η < (1 + 1)^{1/1} − 1 *)
Lemma one_weight_eta eta : eta < 1 -> eta < Rpower (1 + 1) (/ INR 1) - 1.
Proof. intros H. replace (/ INR 1) with 1 by (simpl; field). rewrite Rpower_1; lra. Qed.

(** All of Lemma 2 but deep relative trust, and the loss rises. *)
Theorem lemma2_unconditional_fails :
  let W := weight 2 in let D := weight (- 1) in
  let g := one_weight_gradient (19 / 10) in
  let one := fun _ : nat => 1%nat in
  (forall V, gradient_at 1 one one (one_weight (19 / 10)) V (g V)) /\
  0 < fro 1 1 (g W 0%nat) /\
  fro 1 1 (D 0%nat) / fro 1 1 (W 0%nat) <= 1 / 2 /\
  1 / 2 < Rpower (1 + cos_theta one one W D g 0) (/ INR 1) - 1 /\
  one_weight (19 / 10) W < one_weight (19 / 10) (padd W D).
Proof.
  intros W D g one. split; [intros; apply one_weight_gradient_at|].
  split; [rewrite fro_1_1; apply Rabs_pos_lt; unfold g, one_weight_gradient, W, weight; lra|].
  split.
  { rewrite !fro_1_1. unfold D, W, weight. rewrite Rabs_left, Rabs_right by lra. lra. }
  split; [unfold one, W, D, g; rewrite one_weight_cos by lra; apply one_weight_eta; lra|].
  rewrite !one_weight_eq. unfold padd, madd, W, D, weight. lra.
Qed.

(** ‖g(W+ΔW) − g(W)‖/‖g(W)‖ is more than the size of the step in some sense allows. *)
Definition trust_exceeded (size : mat -> mat -> R) : Prop :=
  let W := weight 2 in let D := weight (- 1) in
  let g := one_weight_gradient (19 / 10) in
  let one := fun _ : nat => 1%nat in
  (forall V, gradient_at 1 one one (one_weight (19 / 10)) V (g V)) /\
  0 < fro 1 1 (g W 0%nat) /\
  prod 1 (fun k => 1 + size (W k) (D k)) - 1 < breakdown one one W D g 0 1.

(** The change is 10 and δ = 1/2. *)
Theorem deep_relative_trust_fails : trust_exceeded (fun W D => fro 1 1 D / fro 1 1 W).
Proof.
  destruct lemma2_unconditional_fails as [Hg [Hg0 _]].
  split; [exact Hg|]. split; [exact Hg0|].
  rewrite one_weight_breakdown by lra. simpl prod. rewrite !fro_1_1.
  unfold weight. rewrite Rabs_left, Rabs_right by lra. lra.
Qed.

(** There ρ = δ. *)
Lemma opnorm_1_1 A : opnorm 1 1 A = Rabs (A 0%nat 0%nat).
Proof.
  assert (E : forall x, mv 1 A x 0%nat = A 0%nat 0%nat * x 0%nat)
    by (intros; unfold mv; simpl; ring).
  apply Rle_antisym.
  - apply opnorm_le; [apply Rabs_pos|]. intros x. rewrite !nrm_1, E, Rabs_mult. lra.
  - assert (H := mv_le_opnorm 1 1 A (fun _ => 1)).
    rewrite !nrm_1, E, Rmult_1_r, Rabs_R1, Rmult_1_r in H. exact H.
Qed.

Theorem spectral_relative_trust_fails : trust_exceeded (rho 1 1).
Proof.
  destruct deep_relative_trust_fails as [Hg [Hg0 H]].
  split; [exact Hg|]. split; [exact Hg0|].
  simpl prod in *. unfold rho. rewrite !opnorm_1_1. rewrite !fro_1_1 in H. exact H.
Qed.

(** Lemma 2 (hence condition (4) and Lemma 1) applies to 𝓛(W) = W², W = 1, ΔW = −1/2. *)
Theorem lemma2_applies :
  one_weight 0 (padd (weight 1) (weight (- (1 / 2)))) < one_weight 0 (weight 1).
Proof.
  apply (lemma2 1 (fun _ => 1%nat) (fun _ => 1%nat) (one_weight 0) (weight 1) (weight (- (1 / 2)))
           (one_weight_gradient 0) nil) with (eta := 1 / 2).
  - apply (differentiable_continuous 1 (fun _ => 1%nat) (fun _ => 1%nat) _ _ _ (one_weight_gradient 0)).
    intros; apply one_weight_gradient_at.
  - intros; apply derivative_along, one_weight_gradient_at.
  - intros. rewrite fro_1_1. unfold one_weight_gradient, weight. rewrite Rabs_right; lra.
  - intros l t Hl Ht _. replace l with 0%nat by lia.
    rewrite one_weight_breakdown by lra. simpl prod. rewrite !fro_1_1.
    unfold mscal, weight. rewrite (Rabs_right 1), (Rabs_left1 (t * _)) by lra. lra.
  - intros. rewrite fro_1_1. unfold weight. rewrite Rabs_right; lra.
  - intros. rewrite !fro_1_1. unfold weight. rewrite Rabs_left, Rabs_right by lra. lra.
  - intros l Hl _. replace l with 0%nat by lia. rewrite one_weight_cos by lra.
    apply one_weight_eta; lra.
  - exists 0%nat. split; [lia|]. rewrite fro_1_1. unfold weight. rewrite Rabs_left; lra.
Qed.

(** With the mean over the segment it allows ΔW = −3/2, too, where (1 + η)^L − 1 = 3/2 > cos θ. *)
Theorem lemma2_mean_applies :
  one_weight 0 (padd (weight 1) (weight (- (3 / 2)))) < one_weight 0 (weight 1).
Proof.
  apply (lemma2_mean 1 (fun _ => 1%nat) (fun _ => 1%nat) (one_weight 0) (weight 1) (weight (- (3 / 2)))
           (one_weight_gradient 0) nil) with (C := 1) (eta := 3 / 2).
  - apply (differentiable_continuous 1 (fun _ => 1%nat) (fun _ => 1%nat) _ _ _ (one_weight_gradient 0)).
    intros; apply one_weight_gradient_at.
  - intros; apply derivative_along, one_weight_gradient_at.
  - intros. rewrite fro_1_1. unfold one_weight_gradient, weight. rewrite Rabs_right; lra.
  - lra.
  - intros l t Hl Ht _. replace l with 0%nat by lia.
    rewrite one_weight_breakdown by lra. simpl prod. rewrite !fro_1_1.
    unfold mscal, weight. rewrite (Rabs_right 1), (Rabs_left1 (t * _)) by lra. lra.
  - intros. rewrite fro_1_1. unfold weight. rewrite Rabs_right; lra.
  - intros. rewrite !fro_1_1. unfold weight. rewrite Rabs_left, Rabs_right by lra. lra.
  - intros l Hl _. replace l with 0%nat by lia. rewrite one_weight_cos by lra.
    unfold growth. simpl. lra.
  - exists 0%nat. split; [lia|]. rewrite fro_1_1. unfold weight. rewrite Rabs_left; lra.
Qed.

(** Its threshold cannot be raised: at ΔW = −2 it is met with equality, and the loss is what it was. *)
Theorem lemma2_mean_sharp :
  1 * growth 1 2 1 = cos_theta (fun _ => 1%nat) (fun _ => 1%nat) (weight 1) (weight (-2)) (one_weight_gradient 0) 0
  /\ one_weight 0 (padd (weight 1) (weight (-2))) = one_weight 0 (weight 1).
Proof.
  split.
  - rewrite one_weight_cos by lra. unfold growth. simpl. field.
  - rewrite !one_weight_eq. unfold padd, madd, weight. ring.
Qed.
