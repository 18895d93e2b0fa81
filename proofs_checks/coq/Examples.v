(** * The hypotheses can be met, by networks with two different activations

    For each group of theorems, an instance of all its hypotheses at once, so that none of the
    theorems is vacuous.  (Lemma 1, condition (4) and Lemma 2: [lemma2_applies] in Models.v.)

    The networks are those of Witness.v without a spike: W_k = I and W̃_k = (1+δ) I, cut to shape,
    of any depth and any positive widths.

    Networks are trained with a linear last layer, so that φ_L is not the φ of the hidden layers.
    [two_activations_...] say what the theorems then amount to, for any weights; for
    −leaky ReLU of slope a in the hidden layers and the identity in the last one:

    function   ‖f̃−f‖/‖f‖ <= a^{−(L−1)} κ^{2L} [Π (1+δ_l) − 1]
    Jacobian   ‖J̃_l−J_l‖_F/‖J_l‖_F <= κ^{2n} [a^{−(n−1)} Π (1+δ_k) − 1],  n = L − l

    with a to the power of L − 1 and n − 1, not L and n: the last layer has α = β.  Theorems about
    networks with one φ could not say this. *)

From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From DRT Require Import Sums Norms Conditioning Transmission Network Witness Fromage.
From DRT Require Import FunctionBounds JacobianBounds ProductBounds.
Open Scope R_scope.

(** [hidden] in the layers k < L − 1, [last] in layer L − 1. *)
Definition with_last {A} (hidden last : A) (L k : nat) : A :=
  if Nat.ltb (S k) L then hidden else last.

Lemma with_last_hidden {A} (h l : A) L k : (S k < L)%nat -> with_last h l L k = h.
Proof. intros Hk. unfold with_last. destruct (Nat.ltb_spec (S k) L); [reflexivity|lia]. Qed.

Lemma with_last_last {A} (h l : A) L k : (S k = L)%nat -> with_last h l L k = l.
Proof. intros Hk. unfold with_last. destruct (Nat.ltb_spec (S k) L); [lia|reflexivity]. Qed.

Lemma with_last_ind {A} (P : A -> Prop) h l L k : P h -> P l -> P (with_last h l L k).
Proof. unfold with_last. destruct (Nat.ltb (S k) L); auto. Qed.

(** A product over layers that are alike but for the last. *)
Lemma prod_with_last (f : nat -> R) c last l n :
  (0 < n)%nat ->
  (forall k, (l <= k)%nat -> (S k < l + n)%nat -> f k = c) -> f (l + (n - 1))%nat = last ->
  prod n (fun k => f (l + k)%nat) = c ^ (n - 1) * last.
Proof.
  intros Hn Hc Hlast. rewrite (prod_one_off n (n - 1) c), Hlast by (lia || (intros; apply Hc; lia)).
  ring.
Qed.

(** β/α of the network above: 1/a, and 1 in the last layer. *)
Lemma prod_ratio a l n :
  0 < a -> (0 < n)%nat ->
  prod n (fun k => 1 / with_last a 1 (l + n) (l + k)) = (/ a) ^ (n - 1).
Proof.
  intros Ha Hn. rewrite (prod_with_last (fun k => 1 / with_last a 1 (l + n) k) (/ a) 1); [ring|auto| |].
  - intros. rewrite with_last_hidden by assumption. field. lra.
  - rewrite with_last_last by lia. field.
Qed.

Definition negated_leaky_relu (a u : R) : R := - leaky_relu a u.

(** [two_activations a L k] is φ_{k+1} *)
Definition two_activations (a : R) (L k : nat) : R -> R :=
  with_last (negated_leaky_relu a) (fun u => u) L k.

Lemma two_activations_transmit a L k :
  0 < a <= 1 -> 0 < with_last a 1 L k /\ transmits (with_last a 1 L k) 1 (two_activations a L k).
Proof.
  intros Ha. unfold two_activations, with_last. destruct (Nat.ltb (S k) L).
  - split; [lra|]. apply transmits_opp, leaky_relu_transmits. lra.
  - split; [lra|]. exact identity_transmits.
Qed.

(** ** FunctionBounds.v: spectral.function, kappa.function, theorem1.function *)
Theorem two_activations_function a K (w : nat -> nat) L W Wt x :
  let f V := net (two_activations a L) w V x 0 L in
  let dl k := delta (w (S k)) (w k) (W k) (change W Wt k) in
  let ratio := nrm (w L) (vsub (f Wt) (f W)) / nrm (w L) (f W) in
  0 < a <= 1 -> (0 < L)%nat ->
  (forall k, (k <= L)%nat -> (0 < w k)%nat) ->
  (forall k, (k < L)%nat -> (w k <= w (S k))%nat) ->
  (forall k, (k < L)%nat -> 0 < smin (w (S k)) (w k) (W k)) ->
  (forall k, (k < L)%nat -> conditioned K (w (S k)) (w k) (W k)) ->
  (forall k, (k < L)%nat -> conditioned K (w (S k)) (w k) (change W Wt k)) ->
  0 < nrm (w 0%nat) x ->
  ratio <= (/ a) ^ (L - 1) * prod L (fun k => cond (w (S k)) (w k) (W k))
           * (prod L (fun k => 1 + rho (w (S k)) (w k) (W k) (change W Wt k)) - 1) /\
  ratio <= (/ a) ^ (L - 1) * K ^ L * (prod L (fun k => 1 + K * dl k) - 1) /\
  ratio <= (/ a) ^ (L - 1) * K ^ (2 * L) * (prod L (fun k => 1 + dl k) - 1).
Proof.
  intros f dl ratio Ha HL Hw Hrise Hs HW HD Hx.
  assert (Hphi := fun k => two_activations_transmit a L k Ha).
  rewrite <- (prod_ratio a 0 L) by (lra || exact HL). rewrite <- prod_mult.
  set (al := with_last a 1 L) in *.
  split; [|split];
    [apply (spectral_function _ al (fun _ => 1))|apply (kappa_function _ al (fun _ => 1))
    |apply (theorem1_function _ al (fun _ => 1))]; auto; intros; apply Hphi.
Qed.

(** ** JacobianBounds.v: spectral.jacobian, kappa.jacobian, theorem1.jacobian

    The slopes of the hidden layers lie in [−1, −a], those of the last layer are 1. *)
Definition two_activations_slopes (a : R) (L : nat) (G : nat -> vec) : Prop :=
  forall k i, if Nat.ltb (S k) L then -1 <= G k i <= - a else G k i = 1.

Theorem two_activations_jacobian a K (w : nat -> nat) l n W Wt G Gt :
  let J := jac w G W l n in let Jt := jac w Gt Wt l n in
  let dl k := delta (w (S (l + k))) (w (l + k)%nat) (W (l + k)%nat) (change W Wt (l + k)) in
  let ratio := fro (w (l + n)%nat) (w l) (msub Jt J) / fro (w (l + n)%nat) (w l) J in
  0 < a <= 1 -> (0 < n)%nat ->
  (forall k, (l <= k <= l + n)%nat -> (0 < w k)%nat) ->
  valley w l (l + n) ->
  (forall k, (l <= k < l + n)%nat -> 0 < smin (w (S k)) (w k) (W k)) ->
  two_activations_slopes a (l + n) G -> two_activations_slopes a (l + n) Gt ->
  (forall k, (l <= k < l + n)%nat -> conditioned K (w (S k)) (w k) (W k)) ->
  (forall k, (l <= k < l + n)%nat -> conditioned K (w (S k)) (w k) (change W Wt k)) ->
  ratio <= prod n (fun k => cond (w (S (l + k))) (w (l + k)%nat) (W (l + k)%nat))
           * ((/ a) ^ (n - 1)
              * prod n (fun k => 1 + rho (w (S (l + k))) (w (l + k)%nat) (W (l + k)%nat)
                                         (change W Wt (l + k))) - 1) /\
  ratio <= K ^ (2 * n) * ((/ a) ^ (n - 1) * prod n (fun k => 1 + dl k) - 1) /\
  ratio <= (/ a) ^ (n - 1) * K ^ (2 * n) * ((/ a) ^ (n - 1) * prod n (fun k => 1 + dl k) - 1).
Proof.
  intros J Jt dl ratio Ha Hn Hw Hvalley Hs HG HGt HW HD.
  rewrite <- (prod_ratio a l n) by (lra || exact Hn). rewrite <- !prod_mult.
  set (al := with_last a 1 (l + n)). set (sg := with_last (-1) 1 (l + n)).
  assert (Hal : forall k, 0 < al k) by (intros; apply with_last_ind; lra).
  assert (Hab : forall k, al k <= 1) by (intros; apply with_last_ind; lra).
  assert (Hsg : forall k, is_sign (sg k))
    by (intros; apply with_last_ind; unfold is_sign; auto).
  assert (Hslope : forall H, two_activations_slopes a (l + n) H ->
            forall k i, slope (al k) 1 (sg k) (H k i)).
  { intros H HH k i. specialize (HH k i). unfold al, sg, with_last, slope.
    destruct (Nat.ltb (S k) (l + n)); lra. }
  split; [|split];
    [apply (spectral_jacobian al (fun _ => 1) sg)|apply (kappa_jacobian al (fun _ => 1) sg)
    |apply (theorem1_jacobian al (fun _ => 1) sg)]; auto.
Qed.

(** ** ProductBounds.v: telescoping.function, norm-product.function, neyshabur.function

    ReLU in the hidden layers, u ↦ c u in the last one, 0 <= c <= 1. *)
Definition relu_then_scale (c : R) (L k : nat) : R -> R :=
  with_last (leaky_relu 0) (fun u => c * u) L k.

Theorem two_activations_absolute c (w : nat -> nat) L W Wt x :
  let phi := relu_then_scale c L in
  let normW k := opnorm (w (S k)) (w k) (W k) in
  let rh k := rho (w (S k)) (w k) (W k) (change W Wt k) in
  let moved := nrm (w L) (vsub (net phi w Wt x 0 L) (net phi w W x 0 L)) in
  0 <= c <= 1 -> (0 < L)%nat ->
  (forall k, (k < L)%nat -> 0 < normW k) -> (forall k, (k < L)%nat -> rh k <= / INR L) ->
  moved <= sum L (fun l => c * prod (L - S l) (fun i => opnorm (w (S (S l + i))) (w (S l + i)%nat)
                                                               (Wt (S l + i)%nat))
                           * nrm (w (S l)) (mv (w l) (change W Wt l) (net phi w W x 0 l))) /\
  moved <= c * prod L normW * nrm (w 0%nat) x * (prod L (fun k => 1 + rh k) - 1) /\
  moved <= exp 1 * nrm (w 0%nat) x * prod L normW * sum L rh.
Proof.
  intros phi normW rh moved Hc HL HW Hrho. set (be := with_last 1 c L).
  assert (Hphi : forall k, transmits 0 (be k) (phi k) /\ be k <= 1).
  { intros k. unfold be, phi, relu_then_scale, with_last. destruct (Nat.ltb (S k) L).
    - split; [apply leaky_relu_transmits; lra|lra].
    - split; [|lra]. apply transmits_weaken with c c; [lra|lra|apply scaling_transmits; lra]. }
  assert (Eprod : forall l, (l < L)%nat -> prod (L - l) (fun k => be (l + k)%nat) = c).
  { intros l Hl. rewrite (prod_with_last be 1 c), pow1; [ring|lia| |].
    - intros. apply with_last_hidden. lia.
    - apply with_last_last. lia. }
  split; [|split].
  - eapply Rle_trans; [apply (telescoping_function phi be); intros; apply Hphi|].
    right. apply sum_ext; intros l Hl. rewrite Eprod by exact Hl. reflexivity.
  - eapply Rle_trans; [apply (norm_product_function phi be); [intros; apply Hphi|exact HW]|].
    rewrite prod_mult. specialize (Eprod 0%nat HL). rewrite Nat.sub_0_r in Eprod.
    change (prod L be = c) in Eprod. change (fun k => be k) with be. rewrite Eprod.
    right. reflexivity.
  - apply (neyshabur_function phi); auto. intros k _. destruct (Hphi k) as [H Hle].
    apply transmits_weaken with 0 (be k); [lra|exact Hle|exact H].
Qed.

(** ** Network.v: proposition1

    With biases, a sine in the hidden layers and the identity in the last one. *)
Theorem two_activations_proposition1 (w : nat -> nat) V b L (h : R -> vec) (v : vec) t :
  let phi := with_last sin (fun u => u) L in
  let G k := fun i => if Nat.ltb (S k) L
                      then cos (pre w V b 0 k (biased_net phi w V b (h t) 0 k) i) else 1 in
  (forall j, (j < w 0)%nat -> derivable_pt_lim (fun s => h s j) t (v j)) ->
  forall i, (i < w L)%nat ->
    derivable_pt_lim (fun s => biased_net phi w V b (h s) 0 L i) t
                     (mv (w 0%nat) (jac w G V 0 L) v i).
Proof.
  intros phi G Hh i Hi. apply proposition1; auto.
  intros j k Hj _. simpl. unfold G, phi at 1, with_last. destruct (Nat.ltb (S j) L).
  - apply derivable_pt_lim_sin.
  - apply derivable_pt_lim_id.
Qed.

(** ** An instance of the hypotheses *)

Definition identity_layers : nat -> mat := fun _ => idm.

(** FunctionBounds.v and JacobianBounds.v.  What is missing here is only the condition on the
    widths, which is free to choose. *)
Theorem relative_bounds_hypotheses_met (w : nat -> nat) a dl L :
  (forall k, (0 < w k)%nat) -> 0 < a <= 1 -> 0 < dl < 1 ->
  let W := identity_layers in
  let Wt := shifted dl W in
  let K := (1 + dl) / (1 - dl) in
  (forall k, 0 < with_last a 1 L k /\ transmits (with_last a 1 L k) 1 (two_activations a L k)) /\
  (forall k, 0 < smin (w (S k)) (w k) (W k)) /\
  (forall k, conditioned K (w (S k)) (w k) (W k)) /\
  (forall k, conditioned K (w (S k)) (w k) (change W Wt k)) /\
  (forall k, 0 < fro (w (S k)) (w k) (change W Wt k)) /\
  0 < nrm (w 0%nat) (col idm 0) /\
  (* the slopes on either side of the kink in the hidden layers, and the 1 of the last *)
  is_sign (-1) /\ slope a 1 (-1) (-1) /\ slope a 1 (-1) (- a) /\ is_sign 1 /\ slope 1 1 1 1.
Proof.
  intros Hw Ha Hdl W Wt K.
  assert (EK : K * (1 - dl) = 1 + dl) by (unfold K; field; lra).
  assert (HK : 1 <= K) by nra.
  assert (H : forall k, layer_conditioned K (w (S k)) (w k) (W k) (Wt k)).
  { intros k. apply shifted_conditioned; auto; [apply idm_isometric; auto|lra]. }
  split; [intros; apply two_activations_transmit, Ha|].
  split; [intros k; apply (H k)|]. split; [intros k; apply (H k)|]. split; [intros k; apply (H k)|].
  split.
  { intros k. destruct (H k) as [_ [_ [Hs _]]].
    eapply Rlt_le_trans; [|apply fro_ge_smin]. apply Rmult_lt_0_compat; [|exact Hs].
    assert (H0 := Hw k). assert (H1 := Hw (S k)). apply sqrt_lt_R0, lt_0_INR. lia. }
  split; [rewrite nrm_unit by auto; lra|].
  unfold is_sign, slope. repeat split; auto; lra.
Qed.

(** ProductBounds.v, ReLU allowed: ‖W_k‖₂ > 0 and 0 < ρ_k <= 1/L. *)
Theorem absolute_bounds_hypotheses_met (w : nat -> nat) L :
  (forall k, (0 < w k)%nat) -> (1 < L)%nat ->
  let W := identity_layers in
  let Wt := shifted (/ INR L) W in
  transmits 0 1 (leaky_relu 0) /\
  (forall k, 0 < opnorm (w (S k)) (w k) (W k)) /\
  (forall k, 0 < rho (w (S k)) (w k) (W k) (change W Wt k) <= / INR L).
Proof.
  intros Hw HL W Wt. assert (HLR : 1 < INR L) by (apply (lt_INR 1); exact HL).
  assert (Hi : 0 < / INR L) by (apply Rinv_0_lt_compat; lra).
  assert (Hnorm : forall k, opnorm (w (S k)) (w k) (W k) = 1).
  { intros k. destruct (idm_isometric (w (S k)) (w k) (Hw _) (Hw _)) as [Hs Ho].
    assert (H := smin_le_opnorm (w (S k)) (w k) idm). unfold W, identity_layers. lra. }
  split; [apply leaky_relu_transmits; lra|]. split; [intros k; rewrite Hnorm; lra|].
  intros k. unfold rho, Wt. rewrite change_shifted, Hnorm. unfold Rdiv. rewrite Rinv_1, Rmult_1_r.
  assert (Hup := opnorm_mscal_le (w (S k)) (w k) (/ INR L) idm ltac:(lra)).
  assert (Hlow := smin_mscal_ge (w (S k)) (w k) (/ INR L) idm (Hw _) (Hw _) ltac:(lra)).
  assert (Hso := smin_le_opnorm (w (S k)) (w k) (mscal (/ INR L) idm)).
  destruct (idm_isometric (w (S k)) (w k) (Hw _) (Hw _)) as [Hs Ho].
  assert (/ INR L * opnorm (w (S k)) (w k) idm <= / INR L * 1) by (apply Rmult_le_compat_l; lra).
  assert (/ INR L * 1 <= / INR L * smin (w (S k)) (w k) idm) by (apply Rmult_le_compat_l; lra).
  lra.
Qed.

(** Fromage.v: an orbit of step (5), and one of Algorithm 1, whose gradients are orthogonal to the
    weights at every step: a 1 × 2 matrix and its quarter turn. *)
Definition quarter_turn (A : mat) : mat := fun i j =>
  match j with O => - A i 1%nat | _ => A i 0%nat end.

Fixpoint orbit (step : mat -> mat -> mat) (t : nat) : mat :=
  match t with
  | O => fun _ j => match j with O => 1 | _ => 0 end
  | S s => step (orbit step s) (quarter_turn (orbit step s))
  end.

Lemma quarter_turn_orthogonal A : dotF 1 2 A (quarter_turn A) = 0.
Proof. unfold dotF, dot, col, quarter_turn; simpl. ring. Qed.

Lemma quarter_turn_norm A : fro 1 2 (quarter_turn A) = fro 1 2 A.
Proof. unfold fro, dotF, dot, col, quarter_turn; simpl. f_equal. ring. Qed.

Theorem fromage_hypotheses_met eta :
  0 < eta ->
  forall t,
    let W := orbit (lars 1 2 eta) in let V := orbit (fromage 1 2 eta) in
    (0 < fro 1 2 (quarter_turn (W t)) /\ dotF 1 2 (W t) (quarter_turn (W t)) = 0) /\
    (0 < fro 1 2 (quarter_turn (V t)) /\ dotF 1 2 (V t) (quarter_turn (V t)) = 0).
Proof.
  intros Heta t W V.
  assert (H0 : fro 1 2 (orbit (lars 1 2 eta) 0) = 1).
  { unfold fro, dotF, dot, col, orbit; simpl.
    transitivity (sqrt 1); [apply f_equal; ring|apply sqrt_1]. }
  assert (HW : 0 < fro 1 2 (W t)).
  { induction t as [|t IH]; [unfold W; rewrite H0; lra|]. unfold W in *; simpl.
    rewrite lars_norm_growth; [|lra|rewrite quarter_turn_norm; exact IH|
      apply quarter_turn_orthogonal].
    assert (H := sqrt_1p_ge1 eta). apply Rmult_lt_0_compat; lra. }
  assert (HV : 0 < fro 1 2 (V t)).
  { clear HW. induction t as [|t IH]; [unfold V; simpl in *; rewrite H0; lra|].
    unfold V in *; simpl.
    rewrite fromage_norm_growth; [exact IH|lra|rewrite quarter_turn_norm; exact IH|
      apply quarter_turn_orthogonal]. }
  rewrite !quarter_turn_norm, !quarter_turn_orthogonal. auto.
Qed.

(** The limit 0 is taken: weights that start at 0 stay there, whatever the gradient. *)
Theorem fromage_limit_hypotheses_met eta g :
  0 < fro 1 2 g -> fromage 1 2 eta (fun _ _ => 0) g = (fun _ _ => 0).
Proof.
  intros Hg. apply functional_extensionality; intro i; apply functional_extensionality; intro j.
  unfold fromage, lars, lars_change, madd, mscal.
  rewrite (fro_zero 1 2 (fun _ _ => 0)) by auto. field. lra.
Qed.
