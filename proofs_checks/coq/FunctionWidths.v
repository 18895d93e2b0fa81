(** * Theorem 1 for functions: the conditions on the widths and on ΔW are needed

    The paper states Theorem 1 with no condition on the widths.  For positive widths,

    theorem1.function  holds for all networks of widths w_0, ..., w_L   <=>  the widths never fall.

    "=>" is the refutation of theorem1.function.as-stated for every other pattern, by linear
    networks, so for the paper's one φ in all layers too; "<=" is the theorem of FunctionBounds.v.

    [theorem1_function_claim φ α β w L] is the paper's statement for widths w and φ_k transmitting
    [α_k, β_k]: all W, W̃, x with κ(W_k), κ(W̃_k), κ(ΔW_k) <= κ (all three of full rank), f(x) ≠ 0.

    Where the width falls, in layer q, the witness of Witness.v with input e_0 has f(x) = ε e_0 and
    ‖f̃(x) − f(x)‖ >= 1/2 (δ = 1/2, κ = 3), for ε as small as one likes: no bound in
    terms of κ, δ, α, β and L can hold ([falling_width_unbounded]).

    Nor can the condition κ(ΔW_l) <= κ be dropped ([perturbation_conditioning_needed]). *)

From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From DRT Require Import Sums Norms Conditioning Transmission Network FunctionBounds Witness.
Open Scope R_scope.

Definition theorem1_function_claim (phi : nat -> R -> R) (al be : nat -> R) w L : Prop :=
  forall K W Wt x,
    (forall k, (k < L)%nat -> layer_conditioned K (w (S k)) (w k) (W k) (Wt k)) ->
    0 < nrm (w L) (net phi w W x 0 L) ->
    nrm (w L) (vsub (net phi w Wt x 0 L) (net phi w W x 0 L)) / nrm (w L) (net phi w W x 0 L)
    <= prod L (fun k => be k / al k) * K ^ (2 * L)
       * (prod L (fun k => 1 + delta (w (S k)) (w k) (W k) (change W Wt k)) - 1).

(** The signal e_0 stays a multiple of e_0. *)
Lemma witness_net w q eps dl k i :
  (forall j, (j <= k)%nat -> (0 < w j)%nat) -> (w (S q) < w q)%nat -> (0 < w (S q))%nat ->
  (i < w k)%nat ->
  net (fun _ u => u) w (shifted dl (witness w q eps)) (col idm 0) 0 k i
  = prod k (factor q eps dl 0) * col idm 0 i.
Proof.
  intros Hw Hq Hq'. revert i; induction k as [|k IH]; intros i Hi; simpl; [ring|].
  unfold vphi. assert (Hwk : (0 < w k)%nat) by (apply Hw; lia).
  transitivity (mv (w k) (shifted dl (witness w q eps) k)
                  (fun j => prod k (factor q eps dl 0) * col idm 0 j) i).
  { apply sum_ext; intros j Hj. rewrite IH; [reflexivity| |exact Hj]. intros; apply Hw; lia. }
  rewrite mv_scal, mv_unit by exact Hwk.
  rewrite witness_diagonal by (try exact Hq; try exact Hi; lia).
  unfold col, idm. destruct (Nat.eqb_spec i 0) as [->|]; ring.
Qed.

(** Where a width falls, the ratio exceeds any bound at all, with κ = 3 and every δ_k <= 1/2. *)
Theorem falling_width_unbounded (w : nat -> nat) L q B :
  (forall k, (k <= L)%nat -> (0 < w k)%nat) -> (q < L)%nat -> (w (S q) < w q)%nat ->
  exists W Wt x,
    (forall k, (k < L)%nat ->
       layer_conditioned 3 (w (S k)) (w k) (W k) (Wt k) /\
       0 <= delta (w (S k)) (w k) (W k) (change W Wt k) <= 1 / 2) /\
    0 < nrm (w L) (net (fun _ u => u) w W x 0 L) /\
    B < nrm (w L) (vsub (net (fun _ u => u) w Wt x 0 L) (net (fun _ u => u) w W x 0 L))
        / nrm (w L) (net (fun _ u => u) w W x 0 L).
Proof.
  intros Hw Hq Hfall. set (eps := / (2 * (B * B + 1))).
  assert (HB : 0 <= B * B) by nra.
  assert (Heps : 0 < eps) by (apply Rinv_0_lt_compat; lra).
  assert (Eeps : eps * (2 * (B * B + 1)) = 1) by (apply Rinv_l; lra).
  assert (Heps1 : eps <= 1) by nra.
  set (W := witness w q eps).
  exists W, (shifted (1 / 2) W), (col idm 0).
  split.
  { intros k Hk. apply shifted_conditioned; try lra; try (apply Hw; lia).
    apply witness_isometric; try (apply Hw; lia); [exact Hfall|lra]. }
  assert (HL : (0 < w L)%nat) by (apply Hw; lia).
  assert (Enet : forall dl, let a := prod L (factor q eps dl 0) in
            a = (eps + dl) * (1 + dl) ^ (L - 1) /\
            forall i, (i < w L)%nat ->
              net (fun _ u => u) w (shifted dl W) (col idm 0) 0 L i = a * col idm 0 i).
  { intros dl a. split.
    - unfold a. rewrite (prod_one_off L q (1 + dl)); [|exact Hq|].
      + unfold factor. rewrite Nat.eqb_refl. reflexivity.
      + intros i _ Hi. unfold factor. destruct (Nat.eqb_spec i q); [lia|reflexivity].
    - intros i Hi. apply witness_net; auto. }
  destruct (Enet 0) as [E0 N0]. rewrite shifted_0 in N0.
  destruct (Enet (1 / 2)) as [E1 N1].
  rewrite !Rplus_0_r, pow1, Rmult_1_r in E0.
  set (a0 := prod L (factor q eps 0 0)) in *. set (a1 := prod L (factor q eps (1 / 2) 0)) in *.
  assert (Hf : nrm (w L) (net (fun _ u => u) w W (col idm 0) 0 L) = eps).
  { rewrite (nrm_ext _ _ _ N0), nrm_scal, nrm_unit, E0, Rabs_right by (lra || exact HL). ring. }
  assert (Ha : 1 / 2 <= a1 - a0).
  { rewrite E0, E1. assert (H1 := pow_R1_Rle (1 + 1 / 2) (L - 1) ltac:(lra)).
    assert (1 * (eps + 1 / 2) <= (1 + 1 / 2) ^ (L - 1) * (eps + 1 / 2))
      by (apply Rmult_le_compat_r; lra). lra. }
  assert (Hd : 1 / 2 <= nrm (w L) (vsub (net (fun _ u => u) w (shifted (1 / 2) W) (col idm 0) 0 L)
                                        (net (fun _ u => u) w W (col idm 0) 0 L))).
  { rewrite (nrm_ext _ _ (fun i => (a1 - a0) * col idm 0 i)).
    - rewrite nrm_scal, nrm_unit, Rabs_right by (lra || exact HL). lra.
    - intros i Hi. unfold vsub. rewrite N0, N1 by exact Hi. ring. }
  rewrite Hf. split; [exact Heps|].
  apply Rlt_le_trans with (1 / 2 / eps).
  - replace (1 / 2 / eps) with (B * B + 1) by (unfold eps; field; lra). nra.
  - unfold Rdiv at 1 3. apply Rmult_le_compat_r; [|exact Hd]. apply Rlt_le, Rinv_0_lt_compat, Heps.
Qed.

Theorem theorem1_function_as_stated w L q :
  (forall k, (k <= L)%nat -> (0 < w k)%nat) -> (q < L)%nat -> (w (S q) < w q)%nat ->
  ~ theorem1_function_claim (fun _ u => u) (fun _ => 1) (fun _ => 1) w L.
Proof.
  intros Hw Hq Hfall Hclaim.
  destruct (falling_width_unbounded w L q ((3 ^ 2) ^ L * ((1 + 1 / 2) ^ L)) Hw Hq Hfall)
    as [W [Wt [x [Hcond [Hf Hbig]]]]].
  assert (H := Hclaim 3 W Wt x (fun k Hk => proj1 (Hcond k Hk)) Hf).
  cbv beta in H. rewrite prod_const, pow_mult in H.
  replace (1 / 1) with 1 in H by field. rewrite pow1, Rmult_1_l in H.
  assert (Hprod : prod L (fun k => 1 + delta (w (S k)) (w k) (W k) (change W Wt k))
                  <= (1 + 1 / 2) ^ L).
  { rewrite <- prod_const. apply prod_le; intros k Hk.
    destruct (Hcond k Hk) as [_ Hd]. lra. }
  assert (H9 : 0 <= (3 ^ 2) ^ L) by (apply pow_le; lra).
  assert ((3 ^ 2) ^ L * (prod L (fun k => 1 + delta (w (S k)) (w k) (W k) (change W Wt k)) - 1)
          <= (3 ^ 2) ^ L * (1 + 1 / 2) ^ L) by (apply Rmult_le_compat_l; lra).
  lra.
Qed.

Lemma net_of_zero phi al be w W x k :
  (forall j, (j < k)%nat -> 0 <= be j /\ transmits (al j) (be j) (phi j)) ->
  nrm (w 0%nat) x = 0 -> nrm (w k) (net phi w W x 0 k) = 0.
Proof.
  intros H Hx. induction k as [|k IH]; [exact Hx|].
  destruct (H k ltac:(lia)) as [Hbe Hphi].
  apply Rle_antisym; [|apply nrm_nonneg]. simpl.
  eapply Rle_trans; [apply (vphi_le (al k) (be k)); assumption|].
  eapply Rle_trans; [apply Rmult_le_compat_l; [exact Hbe|apply mv_le_opnorm]|].
  rewrite IH by (intros; apply H; lia). lra.
Qed.

Theorem theorem1_function_iff w L :
  (forall k, (k <= L)%nat -> (0 < w k)%nat) ->
  ((forall phi al be,
      (forall k, (k < L)%nat -> 0 < al k /\ transmits (al k) (be k) (phi k)) ->
      theorem1_function_claim phi al be w L)
   <-> forall k, (k < L)%nat -> (w k <= w (S k))%nat).
Proof.
  intros Hw. split.
  - intros Hclaim k Hk. destruct (Nat.le_gt_cases (w k) (w (S k))) as [|Hfall]; [assumption|].
    exfalso. apply (theorem1_function_as_stated w L k Hw Hk Hfall), Hclaim.
    intros; split; [lra|exact identity_transmits].
  - intros Hrise phi al be Hphi K W Wt x Hcond Hf.
    apply theorem1_function; auto; try (intros k Hk; first [apply (Hphi k Hk)|apply (Hcond k Hk)]).
    assert (Hx := nrm_nonneg (w 0%nat) x).
    destruct (Req_dec (nrm (w 0%nat) x) 0) as [Hz|]; [|lra].
    rewrite (net_of_zero phi al be) in Hf; [lra| |exact Hz].
    intros j Hj. destruct (Hphi j Hj) as [Hal Ht]. assert (Hab := transmits_le _ _ _ Ht).
    split; [lra|exact Ht].
Qed.

(** The smallest case, with κ = 1: W = [1, 0], ΔW = [0, 1/2], x = (1/1000, 1), φ the identity. *)
Definition row (a b : R) : mat := fun _ j => match j with O => a | _ => b end.

Definition widths_2_1 (k : nat) : nat := match k with O => 2 | _ => 1 end.

Lemma row_norm a b y : nrm 2 (mv 1 (tr (row a b)) y) = sqrt (a * a + b * b) * nrm 1 y.
Proof.
  unfold nrm, dot, mv, tr, row; simpl. rewrite <- sqrt_mult_alt by nra. f_equal. ring.
Qed.

Lemma row_conditioned a b :
  0 < a * a + b * b -> 0 < smin 1 2 (row a b) /\ conditioned 1 1 2 (row a b).
Proof.
  intros H. assert (Hr := sqrt_lt_R0 _ H).
  assert (Hs : sqrt (a * a + b * b) <= smin 1 2 (row a b))
    by (apply smin_ge_wide; [lia|]; intros; rewrite row_norm; lra).
  split; [lra|]. unfold conditioned. rewrite <- opnorm_tr.
  eapply Rle_trans; [apply opnorm_le with (c := sqrt (a * a + b * b))|lra]; [lra|].
  intros; rewrite row_norm; lra.
Qed.

Theorem smallest_falling_width :
  let W := fun _ : nat => row 1 0 in
  let Wt := fun _ : nat => row 1 (1 / 2) in
  let x := fun j : nat => match j with O => 1 / 1000 | _ => 1 end in
  let f V := net (fun _ u => u) widths_2_1 V x 0 1 in
  layer_conditioned 1 1 2 (row 1 0) (row 1 (1 / 2)) /\
  delta 1 2 (row 1 0) (change W Wt 0) = 1 / 2 /\
  nrm 1 (vsub (f Wt) (f W)) / nrm 1 (f W) = 500.
Proof.
  intros W Wt x f.
  assert (E : msub (row 1 (1 / 2)) (row 1 0) = row 0 (1 / 2)).
  { apply functional_extensionality; intro i; apply functional_extensionality; intros [|j];
      unfold msub, row; ring. }
  assert (Hfro : forall a b, fro 1 2 (row a b) = sqrt (a * a + b * b)).
  { intros. unfold fro, dotF, dot, col, row; simpl. f_equal. ring. }
  assert (H1 : forall c, 0 <= c -> forall v, v 0%nat = c -> nrm 1 v = c).
  { intros c Hc v Hv. unfold nrm, dot; simpl. rewrite Hv, Rplus_0_l. apply sqrt_square, Hc. }
  split; [|split].
  - unfold layer_conditioned. rewrite E. split; [|split]; apply row_conditioned; lra.
  - unfold delta, change, W, Wt. rewrite E, !Hfro.
    replace (0 * 0 + 1 / 2 * (1 / 2)) with (1 / 2 * (1 / 2)) by ring.
    replace (1 * 1 + 0 * 0) with (1 * 1) by ring. rewrite !sqrt_square by lra. field.
  - rewrite (H1 (1 / 2) ltac:(lra) (vsub (f Wt) (f W))), (H1 (1 / 1000) ltac:(lra) (f W)).
    + field.
    + unfold f, W, x, vphi, mv, row; simpl. unfold vphi, mv; simpl. field.
    + unfold vsub, f, W, Wt, x; simpl. unfold vphi, mv, row; simpl. field.
Qed.

(** ** The condition on ΔW is needed

    W = I_16, ΔW = 1/10 e_0 e_0ᵀ, x = e_0, one layer, φ the identity: κ(W) = 1 and κ(W̃) = 11/10,
    but ΔW has rank one.  The ratio is 1/10, the right-hand side of Theorem 1 at κ = 11/10 is
    121/100 · 1/40 < 0.031. *)
Definition stretch (a b : R) : mat := dg (fun i => match i with O => a | _ => b end) idm.

Lemma mv_stretch n a b x i :
  (i < n)%nat -> mv n (stretch a b) x i = (match i with O => a | _ => b end) * x i.
Proof.
  intros Hi. rewrite <- (mv_idm n x i Hi). unfold mv, stretch, dg.
  rewrite <- sum_scal. apply sum_ext; intros; ring.
Qed.

Theorem perturbation_conditioning_needed :
  let W := stretch 1 1 in let Wt := stretch (11 / 10) 1 in
  let f V := net (fun _ u => u) (fun _ => 16%nat) (fun _ => V) (col idm 0) 0 1 in
  (0 < smin 16 16 W /\ conditioned (11 / 10) 16 16 W) /\
  (0 < smin 16 16 Wt /\ conditioned (11 / 10) 16 16 Wt) /\
  (1 / 1 * (11 / 10) ^ 2) ^ 1 * (1 + delta 16 16 W (msub Wt W) - 1)
  < nrm 16 (vsub (f Wt) (f W)) / nrm 16 (f W).
Proof.
  intros W Wt f.
  assert (Hcond : forall a, 1 <= a <= 11 / 10 ->
            0 < smin 16 16 (stretch a 1) /\ conditioned (11 / 10) 16 16 (stretch a 1)).
  { intros a Ha. assert (Hs : 1 <= smin 16 16 (stretch a 1)).
    { apply smin_ge_tall; [lia|]; intros x. apply nrm_ge_scal; [lra|]; intros i Hi.
      rewrite mv_stretch, Rabs_mult by exact Hi. apply Rmult_le_compat_r; [apply Rabs_pos|].
      destruct i; rewrite Rabs_right; lra. }
    split; [lra|]. unfold conditioned.
    eapply Rle_trans; [apply (opnorm_le _ _ _ (11 / 10)); [lra|]|lra]. intros x.
    apply nrm_le_scal; [lra|]; intros i Hi.
    rewrite mv_stretch, Rabs_mult by exact Hi. apply Rmult_le_compat_r; [apply Rabs_pos|].
    destruct i; rewrite Rabs_right; lra. }
  split; [apply Hcond; lra|]. split; [apply Hcond; lra|].
  assert (HW : fro 16 16 W = 4).
  { unfold fro, dotF, dot, col, W, stretch, dg, idm; simpl.
    transitivity (sqrt (4 * 4)); [apply f_equal; ring|apply sqrt_square; lra]. }
  assert (HD : fro 16 16 (msub Wt W) = 1 / 10).
  { unfold fro, dotF, dot, col, msub, Wt, W, stretch, dg, idm; simpl.
    transitivity (sqrt (1 / 10 * (1 / 10))); [apply f_equal; field|apply sqrt_square; lra]. }
  assert (Hf : forall a, nrm 16 (f (stretch a 1)) = Rabs a).
  { intros a. rewrite (nrm_ext 16 _ (fun i => a * col idm 0 i)).
    - rewrite nrm_scal, nrm_unit by lia. ring.
    - intros i Hi. unfold f; simpl net. unfold vphi. rewrite mv_stretch by exact Hi.
      destruct i; [reflexivity|]. unfold col, idm; simpl. ring. }
  assert (Hdiff : nrm 16 (vsub (f Wt) (f W)) = 1 / 10).
  { rewrite (nrm_ext 16 _ (fun i => 1 / 10 * col idm 0 i)).
    - rewrite nrm_scal, nrm_unit, Rabs_right by (lia || lra). ring.
    - intros i Hi. unfold vsub, f, Wt, W; simpl net. unfold vphi. rewrite !mv_stretch by exact Hi.
      destruct i; [field|]. unfold col, idm; simpl. ring. }
  unfold delta. rewrite HW, HD, Hdiff. unfold W. rewrite Hf, Rabs_R1. lra.
Qed.
