(** * The conditions on the widths are needed

    The paper states Theorem 1 with no condition on the widths.  Here it is shown, for positive
    widths, that

    theorem1.function  holds for all networks of widths w_0, ..., w_L   <=>  they never fall,
    theorem1.jacobian  holds for all networks of widths w_l, ..., w_L   <=>  they are a valley.

    "=>" is the refutation of theorem1.function.as-stated and theorem1.jacobian.as-stated, for every
    other width pattern; "<=" is the theorem proved in FunctionBounds.v and JacobianBounds.v.

    [theorem1_function_claim w L] is the paper's statement for widths w: every φ transmitting
    [α, β], all W, W̃, x with κ(W_k), κ(W̃_k), κ(ΔW_k) <= κ (all three of full rank) and f(x) ≠ 0.
    [theorem1_jacobian_claim w l n] likewise, n = L − l, for φ differentiable at the points reached,
    any two states h_l and h̃_l, and J_l ≠ 0.

    The witness, in both cases, is a linear network of layers W_k = I (cut to shape) except one,
    layer q, where the width falls:
        row 0 of W_q is ε e_0 + √(1−ε²) e_last, row i is e_i for i > 0;   ΔW_k = δ I for every k.
    W_q has orthonormal rows, yet passes the first coordinate only with factor ε, and ΔW_q passes
    it with factor δ.  The coordinate "last" of h_q carries no signal: for the function because the
    input is e_0; for the Jacobian because an earlier width was smaller than w_q. *)

From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From DRT Require Import Sums Norms Conditioning Transmission Network FunctionBounds JacobianBounds.
Open Scope R_scope.

(** ** Singular values of the witness *)

Lemma mv_idm_padded n x i : mv n idm x i = if Nat.ltb i n then x i else 0.
Proof.
  destruct (Nat.ltb_spec i n); [apply mv_idm; assumption|].
  unfold mv. rewrite (sum_ext n _ (fun _ => 0)), sum_const; [ring|].
  intros j Hj. unfold idm. destruct (Nat.eqb_spec i j); [lia|ring].
Qed.

Lemma tr_idm : tr idm = idm.
Proof.
  repeat (apply functional_extensionality; intro). unfold tr, idm. rewrite Nat.eqb_sym. reflexivity.
Qed.

Lemma idm_isometry m n x : (n <= m)%nat -> nrm m (mv n idm x) = nrm n x.
Proof.
  intros H. unfold nrm, dot. f_equal. rewrite <- (sum_padded n m) by exact H.
  apply sum_ext; intros. rewrite mv_idm_padded. destruct (Nat.ltb i n); ring.
Qed.

(** s_min(A) >= 1 and ‖A‖₂ <= 1 if A (or Aᵀ, if A is wide) preserves lengths. *)
Definition isometric m n A : Prop := 1 <= smin m n A /\ opnorm m n A <= 1.

Lemma isometric_tall m n A :
  (0 < n <= m)%nat -> (forall x, nrm m (mv n A x) = nrm n x) -> isometric m n A.
Proof.
  intros Hn H. split.
  - apply smin_ge_tall; [exact Hn|]; intros; rewrite H; lra.
  - apply opnorm_le; [lra|]; intros; rewrite H; lra.
Qed.

Lemma isometric_wide m n A :
  (0 < m < n)%nat -> (forall y, nrm n (mv m (tr A) y) = nrm m y) -> isometric m n A.
Proof.
  intros Hn H. split.
  - apply smin_ge_wide; [exact Hn|]; intros; rewrite H; lra.
  - rewrite <- opnorm_tr. apply opnorm_le; [lra|]; intros; rewrite H; lra.
Qed.

Lemma idm_isometric m n : (0 < m)%nat -> (0 < n)%nat -> isometric m n idm.
Proof.
  intros Hm Hn. destruct (Nat.le_gt_cases n m).
  - apply isometric_tall; [lia|]; intros; apply idm_isometry; lia.
  - apply isometric_wide; [lia|]; intros; rewrite tr_idm; apply idm_isometry; lia.
Qed.

Definition spike (n : nat) (eps : R) : mat := fun i j =>
  match i with
  | O => eps * idm 0%nat j + sqrt (1 - eps * eps) * idm (n - 1)%nat j
  | S _ => idm i j
  end.

Lemma spike_isometric m n eps :
  (0 < m < n)%nat -> 0 <= eps <= 1 -> isometric m n (spike n eps).
Proof.
  intros Hm Heps. apply isometric_wide; [exact Hm|]. intros y.
  destruct n as [|n]; [lia|]. set (c := sqrt (1 - eps * eps)).
  assert (Hc : c * c = 1 - eps * eps) by (apply sqrt_sqrt; nra).
  (* Aᵀ y has the entries z_j (j < m), 0, ..., 0, c y_0 *)
  set (z := fun j => (if Nat.eqb j 0 then eps else 1) * y j).
  assert (E : forall j, (j < S n)%nat -> mv m (tr (spike (S n) eps)) y j
            = if Nat.eqb j n then c * y 0%nat else if Nat.ltb j m then z j else 0).
  { intros j Hj. destruct m as [|m']; [lia|].
    transitivity (z 0%nat * idm 0%nat j + c * y 0%nat * idm n j
                  + sum m' (fun i => idm (S i) j * y (S i))).
    - unfold mv, tr. clear - Hj. unfold z. simpl Nat.eqb. unfold spike at 1.
      assert (Hsplit : forall (f : nat -> R) k, sum (S k) f = f 0%nat + sum k (fun i => f (S i))).
      { intros f k; induction k as [|k IH]; [simpl; ring|].
        change (sum (S (S k)) f) with (sum (S k) f + f (S k)). rewrite IH. simpl. ring. }
      rewrite Hsplit. f_equal. simpl. rewrite Nat.sub_0_r. fold c. ring.
    - destruct (Nat.eqb_spec j n) as [->|Hjn].
      + rewrite (sum_ext m' _ (fun _ => 0)), sum_const.
        * unfold idm. rewrite Nat.eqb_refl. destruct (Nat.eqb_spec 0 n); [lia|ring].
        * intros i Hi. unfold idm. destruct (Nat.eqb_spec (S i) n); [lia|ring].
      + replace (idm n j) with 0 by (unfold idm; destruct (Nat.eqb_spec n j); [lia|reflexivity]).
        destruct j as [|j].
        * rewrite (sum_ext m' _ (fun _ => 0)), sum_const by (intros; unfold idm; simpl; ring).
          unfold idm; simpl. ring.
        * replace (idm 0%nat (S j)) with 0 by reflexivity. destruct (Nat.ltb_spec (S j) (S m')).
          { rewrite (sum_single m' j) by
              (lia || (intros i _ Hij; unfold idm; destruct (Nat.eqb_spec (S i) (S j)); [lia|ring])).
            unfold idm. rewrite Nat.eqb_refl. unfold z. simpl. ring. }
          { rewrite (sum_ext m' _ (fun _ => 0)), sum_const; [ring|].
            intros i Hi. unfold idm. destruct (Nat.eqb_spec (S i) (S j)); [lia|ring]. } }
  rewrite (nrm_ext (S n) _ _ E). unfold nrm, dot. f_equal.
  change (sum (S n) ?f) with (sum n f + f n). cbv beta. rewrite Nat.eqb_refl.
  rewrite (sum_ext n _ (fun j => if Nat.ltb j m then z j * z j else 0)).
  2:{ intros j Hj. destruct (Nat.eqb_spec j n); [lia|]. destruct (Nat.ltb j m); ring. }
  rewrite sum_padded by lia.
  (* only the first term differs from y_j² *)
  assert (Ez : sum m (fun j => z j * z j - y j * y j) = (eps * eps - 1) * (y 0%nat * y 0%nat)).
  { rewrite (sum_single m 0); [unfold z; simpl; ring|lia|].
    intros j _ Hj. unfold z. destruct (Nat.eqb_spec j 0); [lia|ring]. }
  rewrite sum_minus in Ez.
  replace (c * y 0%nat * (c * y 0%nat)) with (c * c * (y 0%nat * y 0%nat)) by ring.
  rewrite Hc. lra.
Qed.

Lemma mv_mscal n c A x i : mv n (mscal c A) x i = c * mv n A x i.
Proof. unfold mv, mscal. rewrite <- sum_scal. apply sum_ext; intros; ring. Qed.

Lemma nrm_mv_mscal m n c A x : 0 <= c -> nrm m (mv n (mscal c A) x) = c * nrm m (mv n A x).
Proof.
  intros Hc. rewrite (nrm_ext m _ _ (fun i _ => mv_mscal n c A x i)), nrm_scal.
  rewrite Rabs_right by lra. reflexivity.
Qed.

Lemma opnorm_mscal_le m n c A : 0 <= c -> opnorm m n (mscal c A) <= c * opnorm m n A.
Proof.
  intros Hc. assert (HA := opnorm_nonneg m n A).
  apply opnorm_le; [apply Rmult_le_pos; assumption|]; intros.
  rewrite nrm_mv_mscal, Rmult_assoc by exact Hc. apply Rmult_le_compat_l; [exact Hc|].
  apply mv_le_opnorm.
Qed.

Lemma smin_mscal_ge m n c A :
  (0 < m)%nat -> (0 < n)%nat -> 0 <= c -> c * smin m n A <= smin m n (mscal c A).
Proof.
  intros Hm Hn Hc. destruct (Nat.le_gt_cases n m).
  - apply smin_ge_tall; [lia|]; intros. rewrite nrm_mv_mscal, Rmult_assoc by exact Hc.
    apply Rmult_le_compat_l; [exact Hc|]. apply smin_le_mv; lia.
  - apply smin_ge_wide; [lia|]; intros. change (tr (mscal c A)) with (mscal c (tr A)).
    rewrite nrm_mv_mscal, Rmult_assoc by exact Hc.
    apply Rmult_le_compat_l; [exact Hc|]. apply smin_le_mv_tr; lia.
Qed.

(** s_min(B) >= s_min(A) − ‖B − A‖ *)
Lemma smin_perturbed m n A B :
  (0 < m)%nat -> (0 < n)%nat -> smin m n A - opnorm m n (msub B A) <= smin m n B.
Proof.
  intros Hm Hn.
  assert (T : forall k l (C E : mat) x,
            nrm k (mv l C x) <= nrm k (mv l E x) + opnorm k l (msub E C) * nrm l x).
  { intros. rewrite (nrm_ext k _ (vadd (mv l E x) (fun i => (-1) * mv l (msub E C) x i))).
    - eapply Rle_trans; [apply triangle|]. apply Rplus_le_compat_l.
      rewrite nrm_scal, Rabs_left by lra. replace (- (-1)) with 1 by ring.
      rewrite Rmult_1_l. apply mv_le_opnorm.
    - intros. unfold vadd. rewrite mv_msub. ring. }
  destruct (Nat.le_gt_cases n m).
  - apply smin_ge_tall; [lia|]; intros.
    assert (H1 := smin_le_mv m n A x ltac:(lia)). assert (H2 := T m n A B x). lra.
  - apply smin_ge_wide; [lia|]; intros.
    assert (H1 := smin_le_mv_tr m n A y ltac:(lia)). assert (H2 := T n m (tr A) (tr B) y).
    change (msub (tr B) (tr A)) with (tr (msub B A)) in H2. rewrite opnorm_tr in H2. lra.
Qed.

(** ** The witness: orthonormal weights W, and W̃ = W + δ I *)

Definition shifted (dl : R) (W : nat -> mat) (k : nat) : mat := madd (W k) (mscal dl idm).

Lemma change_shifted dl W k : change W (shifted dl W) k = mscal dl idm.
Proof.
  repeat (apply functional_extensionality; intro).
  unfold change, shifted, msub, madd. ring.
Qed.

(** All three matrices of a layer have full rank and κ <= K. *)
Definition layer_conditioned K m n W Wt : Prop :=
  (0 < smin m n W /\ conditioned K m n W) /\
  (0 < smin m n Wt /\ conditioned K m n Wt) /\
  (0 < smin m n (msub Wt W) /\ conditioned K m n (msub Wt W)).

Lemma shifted_conditioned K dl m n W k :
  (0 < m)%nat -> (0 < n)%nat -> isometric m n (W k) ->
  0 < dl < 1 -> 1 <= K -> 1 + dl <= K * (1 - dl) ->
  layer_conditioned K m n (W k) (shifted dl W k) /\
  0 <= delta m n (W k) (change W (shifted dl W) k) <= dl.
Proof.
  intros Hm Hn [Hs Ho] Hdl HK HK'. destruct (idm_isometric m n Hm Hn) as [Is Io].
  assert (Do := opnorm_mscal_le m n dl idm ltac:(lra)).
  assert (Ds := smin_mscal_ge m n dl idm Hm Hn ltac:(lra)).
  assert (Do' : dl * opnorm m n idm <= dl * 1) by (apply Rmult_le_compat_l; lra).
  assert (Ds' : dl * 1 <= dl * smin m n idm) by (apply Rmult_le_compat_l; lra).
  assert (Ts := smin_perturbed m n (W k) (shifted dl W k) Hm Hn).
  assert (To := opnorm_triangle m n (W k) (shifted dl W k)).
  fold (change W (shifted dl W) k) in Ts, To. unfold layer_conditioned.
  fold (change W (shifted dl W) k). rewrite change_shifted in *.
  assert (HKm : forall s t, s <= t -> K * s <= K * t) by (intros; apply Rmult_le_compat_l; lra).
  assert (K1 := HKm _ _ Hs). assert (K2 := HKm _ _ Ts). assert (K3 := HKm _ _ Ds).
  assert (K4 := HKm _ _ Ds').
  assert (K5 : K * (1 - dl) <= K * (smin m n (W k) - opnorm m n (mscal dl idm)))
    by (apply HKm; lra).
  assert (K6 : 1 * dl <= K * dl) by (apply Rmult_le_compat_r; lra).
  unfold conditioned. split; [repeat split; lra|].
  assert (Hr : 0 < sqrt (INR (Nat.min m n))) by (apply sqrt_lt_R0, lt_0_INR; lia).
  set (r := sqrt (INR (Nat.min m n))) in *.
  assert (HF : r * 1 <= fro m n (W k)).
  { apply Rle_trans with (r * smin m n (W k)); [|apply fro_ge_smin].
    apply Rmult_le_compat_l; lra. }
  split; [apply quotient_nonneg; [apply fro_nonneg|lra]|].
  unfold delta. apply quotient_le; [lra|].
  eapply Rle_trans; [apply fro_le_opnorm|]. fold r.
  apply Rle_trans with (r * dl); [apply Rmult_le_compat_l; lra|].
  rewrite Rmult_comm. apply Rmult_le_compat_l; lra.
Qed.

(** Identity layers, and a spike in layer q. *)
Definition witness (w : nat -> nat) (q : nat) (eps : R) (k : nat) : mat :=
  if Nat.eqb k q then spike (w q) eps else idm.

Lemma witness_isometric w q eps k :
  (0 < w k)%nat -> (0 < w (S k))%nat -> (w (S q) < w q)%nat -> 0 <= eps <= 1 ->
  isometric (w (S k)) (w k) (witness w q eps k).
Proof.
  intros H0 H1 Hq Heps. unfold witness. destruct (Nat.eqb_spec k q) as [->|].
  - apply spike_isometric; [lia|exact Heps].
  - apply idm_isometric; assumption.
Qed.

(** The factor with which layer k multiplies coordinate i. *)
Definition factor (q : nat) (eps dl : R) (i k : nat) : R :=
  if andb (Nat.eqb k q) (Nat.eqb i 0) then eps + dl else 1 + dl.

(** The witness acts diagonally, away from the column "last" of layer q. *)
Lemma witness_diagonal w q eps dl k i j :
  (w (S q) < w q)%nat -> (i < w (S k))%nat -> (k = q -> j <> w q - 1)%nat ->
  shifted dl (witness w q eps) k i j = if Nat.eqb i j then factor q eps dl i k else 0.
Proof.
  intros Hq Hi Hj. unfold shifted, madd, mscal, witness, factor.
  destruct (Nat.eqb_spec k q) as [->|]; simpl andb.
  - specialize (Hj eq_refl). unfold spike. destruct i as [|i].
    + unfold idm at 2. destruct (Nat.eqb_spec (w q - 1) j); [lia|].
      unfold idm. destruct (Nat.eqb_spec 0 j); simpl; ring.
    + unfold idm. destruct (Nat.eqb_spec (S i) j); simpl; ring.
  - unfold idm. destruct (Nat.eqb_spec i j); ring.
Qed.

Lemma shifted_0 W : shifted 0 W = W.
Proof. repeat (apply functional_extensionality; intro). unfold shifted, madd, mscal. ring. Qed.

(** ** theorem1.function *)

Definition theorem1_function_claim (w : nat -> nat) (L : nat) : Prop :=
  forall phi al be K W Wt x,
    0 < al -> transmits al be phi ->
    (forall k, (k < L)%nat -> layer_conditioned K (w (S k)) (w k) (W k) (Wt k)) ->
    0 < nrm (w L) (net phi w W x 0 L) ->
    nrm (w L) (vsub (net phi w Wt x 0 L) (net phi w W x 0 L)) / nrm (w L) (net phi w W x 0 L)
    <= (be / al * K ^ 2) ^ L
       * (prod L (fun k => 1 + delta (w (S k)) (w k) (W k) (change W Wt k)) - 1).

(** The signal e_0 stays a multiple of e_0. *)
Lemma witness_net w q eps dl k i :
  (forall j, (j <= k)%nat -> (0 < w j)%nat) -> (w (S q) < w q)%nat -> (0 < w (S q))%nat ->
  (i < w k)%nat ->
  net (fun u => u) w (shifted dl (witness w q eps)) (col idm 0) 0 k i
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
    0 < nrm (w L) (net (fun u => u) w W x 0 L) /\
    B < nrm (w L) (vsub (net (fun u => u) w Wt x 0 L) (net (fun u => u) w W x 0 L))
        / nrm (w L) (net (fun u => u) w W x 0 L).
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
              net (fun u => u) w (shifted dl W) (col idm 0) 0 L i = a * col idm 0 i).
  { intros dl a. split.
    - unfold a. rewrite (prod_one_off L q (1 + dl)); [|exact Hq|].
      + unfold factor. rewrite Nat.eqb_refl. reflexivity.
      + intros i _ Hi. unfold factor. destruct (Nat.eqb_spec i q); [lia|reflexivity].
    - intros i Hi. apply witness_net; auto. }
  destruct (Enet 0) as [E0 N0]. rewrite shifted_0 in N0.
  destruct (Enet (1 / 2)) as [E1 N1].
  rewrite !Rplus_0_r, pow1, Rmult_1_r in E0.
  set (a0 := prod L (factor q eps 0 0)) in *. set (a1 := prod L (factor q eps (1 / 2) 0)) in *.
  assert (Hf : nrm (w L) (net (fun u => u) w W (col idm 0) 0 L) = eps).
  { rewrite (nrm_ext _ _ _ N0), nrm_scal, nrm_unit, E0, Rabs_right by (lra || exact HL). ring. }
  assert (Ha : 1 / 2 <= a1 - a0).
  { rewrite E0, E1. assert (H1 := pow_R1_Rle (1 + 1 / 2) (L - 1) ltac:(lra)).
    assert (1 * (eps + 1 / 2) <= (1 + 1 / 2) ^ (L - 1) * (eps + 1 / 2))
      by (apply Rmult_le_compat_r; lra). lra. }
  assert (Hd : 1 / 2 <= nrm (w L) (vsub (net (fun u => u) w (shifted (1 / 2) W) (col idm 0) 0 L)
                                        (net (fun u => u) w W (col idm 0) 0 L))).
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
  ~ theorem1_function_claim w L.
Proof.
  intros Hw Hq Hfall Hclaim.
  destruct (falling_width_unbounded w L q ((3 ^ 2) ^ L * ((1 + 1 / 2) ^ L)) Hw Hq Hfall)
    as [W [Wt [x [Hcond [Hf Hbig]]]]].
  assert (H := Hclaim (fun u => u) 1 1 3 W Wt x Rlt_0_1 identity_transmits
                 (fun k Hk => proj1 (Hcond k Hk)) Hf).
  replace (1 / 1 * 3 ^ 2) with (3 ^ 2) in H by field.
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
  transmits al be phi -> 0 <= be -> nrm (w 0%nat) x = 0 -> nrm (w k) (net phi w W x 0 k) = 0.
Proof.
  intros Hphi Hbe Hx. induction k as [|k IH]; [exact Hx|].
  apply Rle_antisym; [|apply nrm_nonneg]. simpl.
  eapply Rle_trans; [apply (vphi_le al be); assumption|].
  eapply Rle_trans; [apply Rmult_le_compat_l; [exact Hbe|apply mv_le_opnorm]|].
  rewrite IH. lra.
Qed.

Theorem theorem1_function_iff w L :
  (forall k, (k <= L)%nat -> (0 < w k)%nat) ->
  (theorem1_function_claim w L <-> forall k, (k < L)%nat -> (w k <= w (S k))%nat).
Proof.
  intros Hw. split.
  - intros Hclaim k Hk. destruct (Nat.le_gt_cases (w k) (w (S k))) as [|Hfall]; [assumption|].
    exfalso. exact (theorem1_function_as_stated w L k Hw Hk Hfall Hclaim).
  - intros Hrise phi al be K W Wt x Hal Hphi Hcond Hf.
    apply theorem1_function; auto; try (intros k Hk; apply (Hcond k Hk)).
    assert (Hx := nrm_nonneg (w 0%nat) x).
    destruct (Req_dec (nrm (w 0%nat) x) 0) as [Hz|]; [|lra].
    assert (Hab := transmits_le al be phi Hphi).
    rewrite (net_of_zero phi al be) in Hf by (assumption || lra). lra.
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
  let f V := net (fun u => u) widths_2_1 V x 0 1 in
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

(** ** theorem1.jacobian *)

Definition theorem1_jacobian_claim (w : nat -> nat) (l n : nat) : Prop :=
  forall phi al be K W Wt h ht G Gt,
    0 < al -> transmits al be phi ->
    derivatives_at phi w W h l n G -> derivatives_at phi w Wt ht l n Gt ->
    (forall k, (l <= k < l + n)%nat -> layer_conditioned K (w (S k)) (w k) (W k) (Wt k)) ->
    0 < fro (w (l + n)%nat) (w l) (jac w G W l n) ->
    fro (w (l + n)%nat) (w l) (msub (jac w Gt Wt l n) (jac w G W l n))
      / fro (w (l + n)%nat) (w l) (jac w G W l n)
    <= (be / al * K ^ 2) ^ n
       * (prod n (fun k => be / al * (1 + delta (w (S (l + k))) (w (l + k)%nat) (W (l + k)%nat)
                                              (change W Wt (l + k)))) - 1).

(** A pattern that is no valley has a width w_q, larger than an earlier one, where it falls. *)
Lemma valley_or_peak w l n :
  valley w l (l + n) \/
  exists p q, (l <= p < q)%nat /\ (q < l + n)%nat /\ (w p < w q)%nat /\ (w (S q) < w q)%nat.
Proof.
  induction n as [|n [[p [Hp [Hfall Hrise]]]|[p [q H]]]].
  - left. exists l. split; [lia|]. split; intros; lia.
  - rewrite Nat.add_succ_r. set (top := (l + n)%nat) in *.
    assert (Hmono : forall i, (p <= i <= top)%nat -> (w p <= w i <= w top)%nat).
    { assert (Hup : forall i, (p <= i <= top)%nat -> (w p <= w i)%nat).
      { induction i as [|i IH]; intros Hi; [replace p with 0%nat by lia; lia|].
        destruct (Nat.eq_dec p (S i)) as [->|]; [lia|].
        specialize (IH ltac:(lia)). specialize (Hrise i ltac:(lia)). lia. }
      intros i Hi. split; [apply Hup, Hi|].
      assert (Hdown : forall d, (p <= top - d)%nat -> (w (top - d) <= w top)%nat).
      { induction d as [|d IH]; intros Hd; [rewrite Nat.sub_0_r; lia|].
        destruct (Nat.le_gt_cases top d); [replace (top - S d)%nat with (top - d)%nat by lia;
          apply IH; lia|].
        specialize (IH ltac:(lia)). specialize (Hrise (top - S d)%nat ltac:(lia)).
        replace (S (top - S d)) with (top - d)%nat in Hrise by lia. lia. }
      replace i with (top - (top - i))%nat by lia. apply Hdown; lia. }
    destruct (Nat.le_gt_cases (w top) (w (S top))) as [Hup|Hdown].
    + left. exists p. split; [lia|]. split; [exact Hfall|]. intros k Hk.
      destruct (Nat.eq_dec k top) as [->|]; [exact Hup|apply Hrise; lia].
    + destruct (Nat.le_gt_cases (w top) (w p)) as [Hflat|Hpeak].
      * (* flat from p to top: the valley's floor moves to the end *)
        left. exists (S top). split; [lia|]. split; [|intros; lia]. intros k Hk.
        destruct (Nat.lt_ge_cases k p); [apply Hfall; lia|].
        assert (H1 := Hmono k ltac:(lia)).
        destruct (Nat.eq_dec k top) as [->|]; [lia|]. assert (H2 := Hmono (S k) ltac:(lia)). lia.
      * right. exists p, top. destruct (Nat.eq_dec p top) as [->|]; [lia|]. repeat split; lia.
  - right. exists p, q. lia.
Qed.

Lemma valley_no_peak w l L p q :
  (l <= p < q)%nat -> (q < L)%nat -> (w p < w q)%nat -> (w (S q) < w q)%nat -> ~ valley w l L.
Proof.
  intros Hp Hq Hrise Hfall [f [Hf [Hdown Hup]]].
  destruct (Nat.le_gt_cases f q); [specialize (Hup q ltac:(lia)); lia|].
  assert (H' : forall d, (p + d <= q)%nat -> (w (p + d) <= w p)%nat).
  { induction d as [|d IH]; intros Hd; [rewrite Nat.add_0_r; lia|].
    specialize (IH ltac:(lia)). specialize (Hdown (p + d)%nat ltac:(lia)).
    rewrite Nat.add_succ_r. lia. }
  specialize (H' (q - p)%nat ltac:(lia)). replace (p + (q - p))%nat with q in H' by lia. lia.
Qed.

(** The smallest of the widths l, ..., l + k. *)
Fixpoint wmin (w : nat -> nat) (l k : nat) : nat :=
  match k with O => w l | S k' => Nat.min (wmin w l k') (w (l + S k')%nat) end.

Lemma wmin_le w l k j : (j <= k)%nat -> (wmin w l k <= w (l + j))%nat.
Proof.
  induction k as [|k IH]; intros Hj; simpl.
  - replace j with 0%nat by lia. rewrite Nat.add_0_r. lia.
  - destruct (Nat.eq_dec j (S k)) as [->|]; [lia|]. specialize (IH ltac:(lia)). lia.
Qed.

Lemma wmin_pos w l k : (forall j, (j <= k)%nat -> (0 < w (l + j))%nat) -> (0 < wmin w l k)%nat.
Proof.
  induction k as [|k IH]; intros H; simpl; [rewrite <- (Nat.add_0_r l); apply H; lia|].
  assert (H1 := H (S k) ltac:(lia)). assert (H2 := IH ltac:(intros; apply H; lia)). lia.
Qed.

(** Layers that act diagonally on the coordinates that are still alive have a diagonal product. *)
Lemma jac_diagonal w V l n (a : nat -> nat -> R) :
  (forall k i j, (k < n)%nat -> (i < w (S (l + k)))%nat -> (j < wmin w l k)%nat ->
     V (l + k)%nat i j = if Nat.eqb i j then a (l + k)%nat i else 0) ->
  forall i j, (i < w (l + n))%nat -> (j < w l)%nat ->
    jac w (fun _ _ => 1) V l n i j
    = if andb (Nat.eqb i j) (Nat.ltb j (wmin w l n)) then prod n (fun k => a (l + k)%nat j) else 0.
Proof.
  induction n as [|n IH]; intros HV i j Hi Hj; simpl jac.
  - unfold idm. simpl. destruct (Nat.ltb_spec j (w l)); [|lia].
    rewrite Bool.andb_true_r. reflexivity.
  - rewrite Nat.add_succ_r in Hi.
    transitivity (if Nat.ltb j (wmin w l n)
                  then V (l + n)%nat i j * prod n (fun k => a (l + k)%nat j) else 0).
    + unfold mm. rewrite (sum_ext _ _ (fun t => V (l + n)%nat i t
        * (if andb (Nat.eqb t j) (Nat.ltb j (wmin w l n))
           then prod n (fun k => a (l + k)%nat j) else 0))).
      2:{ intros t Ht. rewrite IH; auto. unfold dg. ring. }
      destruct (Nat.ltb_spec j (wmin w l n)) as [Hlt|Hge].
      * assert (Hle := wmin_le w l n n (le_n n)). rewrite (sum_single _ j) by
          (lia || (intros t _ Ht; destruct (Nat.eqb_spec t j); [lia|simpl; ring])).
        rewrite Nat.eqb_refl. reflexivity.
      * rewrite (sum_ext _ _ (fun _ => 0)), sum_const; [ring|].
        intros; rewrite Bool.andb_false_r; ring.
    + simpl. destruct (Nat.ltb_spec j (wmin w l n)) as [Hlt|Hge].
      * rewrite HV by (lia || assumption). rewrite Nat.add_succ_r.
        destruct (Nat.eqb_spec i j) as [->|]; simpl; [|ring].
        destruct (Nat.ltb_spec j (Nat.min (wmin w l n) (w (S (l + n))))); [ring|lia].
      * rewrite Nat.add_succ_r.
        destruct (Nat.ltb_spec j (Nat.min (wmin w l n) (w (S (l + n))))); [lia|].
        rewrite Bool.andb_false_r. reflexivity.
Qed.

Lemma fro_diagonal_sqr m n r M (a : nat -> R) :
  (r <= m)%nat -> (r <= n)%nat ->
  (forall i j, (i < m)%nat -> (j < n)%nat ->
     M i j = if andb (Nat.eqb i j) (Nat.ltb j r) then a j else 0) ->
  fro m n M * fro m n M = sum r (fun j => a j * a j).
Proof.
  intros Hm Hn HM. rewrite fro_sqr. unfold dotF.
  rewrite <- (sum_padded r n) by exact Hn. apply sum_ext; intros j Hj.
  unfold dot, col. rewrite (sum_ext m _ (fun i =>
    if andb (Nat.eqb i j) (Nat.ltb j r) then a j * a j else 0)).
  2:{ intros i Hi. rewrite HM by assumption. destruct (andb _ _); ring. }
  destruct (Nat.ltb_spec j r).
  - rewrite (sum_single m j) by
      (lia || (intros i _ Hi; destruct (Nat.eqb_spec i j); [lia|reflexivity])).
    rewrite Nat.eqb_refl. reflexivity.
  - rewrite (sum_ext m _ (fun _ => 0)), sum_const; [ring|].
    intros; rewrite Bool.andb_false_r; reflexivity.
Qed.

(** ** Two estimates of powers *)

Lemma bernoulli n x : 0 <= x <= 1 -> 1 - INR n * x <= (1 - x) ^ n.
Proof.
  intros Hx. induction n as [|n IH]; [simpl; lra|]. rewrite S_INR. simpl pow.
  assert (Hn := pos_INR n).
  assert (H : (1 - x) * (1 - INR n * x) <= (1 - x) * (1 - x) ^ n)
    by (apply Rmult_le_compat_l; lra).
  assert (0 <= INR n * (x * x)) by (apply Rmult_le_pos; nra). lra.
Qed.

(** (1+d)^n − 1 <= n d (1+d)^{n−1} *)
Lemma pow_increment_le n d : 0 <= d -> (1 + d) ^ S n - 1 <= INR (S n) * (d * (1 + d) ^ n).
Proof.
  intros Hd. induction n as [|n IH]; [simpl; lra|].
  rewrite S_INR. change ((1 + d) ^ S (S n)) with ((1 + d) * (1 + d) ^ S n).
  assert (Hpow : d * (1 + d) ^ n <= d * (1 + d) ^ S n).
  { apply Rmult_le_compat_l; [exact Hd|]. apply Rle_pow; [lra|lia]. }
  assert (INR (S n) * (d * (1 + d) ^ n) <= INR (S n) * (d * (1 + d) ^ S n))
    by (apply Rmult_le_compat_l; [apply pos_INR|exact Hpow]).
  lra.
Qed.

(** The choice of δ, ε and κ for n layers and smallest width r. *)
Lemma choice_of_constants n r :
  (0 < n)%nat -> (0 < r)%nat ->
  exists dl eps K,
    0 < dl < 1 /\ 0 < eps <= 1 /\ 1 <= K /\ 1 + dl <= K * (1 - dl) /\
    (K ^ 2) ^ n * (K ^ 2) ^ n * (INR r - 1 + eps * eps) < INR r - 1 + / (INR n * INR n).
Proof.
  intros Hn Hr.
  assert (HN : 1 <= INR n) by (apply (le_INR 1); lia).
  assert (HR : 1 <= INR r) by (apply (le_INR 1); lia).
  set (N := INR n) in *. set (m := INR r) in *.
  assert (HNN : 1 <= N * N) by nra.
  (* u = 1/(2 N² m), δ = u/(16 N), ε = 1/(2N), κ = 1/(1−δ)² *)
  set (u := / (2 * (N * N) * m)).
  assert (HNR : 1 <= N * N * m) by nra.
  assert (Eu : u * (2 * (N * N) * m) = 1) by (apply Rinv_l; nra).
  assert (Hu : 0 < u) by (apply Rinv_0_lt_compat; nra).
  assert (Hu2 : 2 * u <= 1) by nra.
  set (dl := u / (16 * N)). set (eps := / (2 * N)).
  assert (Edl : dl * (16 * N) = u) by (unfold dl; field; lra).
  assert (Hdl : 0 < dl) by (apply Rdiv_lt_0_compat; lra).
  assert (Hdl1 : dl <= / 32) by nra.
  assert (Eeps : eps * (2 * N) = 1) by (apply Rinv_l; lra).
  assert (Heps : 0 < eps) by (apply Rinv_0_lt_compat; lra).
  assert (Heps1 : eps <= 1) by nra.
  set (v := 1 - dl). assert (Hv : 0 < v) by (unfold v; lra).
  exists dl, eps, (/ (v * v)).
  assert (Hvv : 0 < v * v) by nra. assert (Hvv1 : v * v <= 1) by (unfold v; nra).
  assert (HK : 1 <= / (v * v)).
  { apply Rmult_le_reg_r with (v * v); [exact Hvv|]. rewrite Rinv_l by lra. lra. }
  split; [lra|]. split; [lra|]. split; [exact HK|]. split.
  { apply Rmult_le_reg_r with v; [exact Hv|]. fold v.
    replace (/ (v * v) * v * v) with 1 by (field; lra). unfold v. nra. }
  set (Q := ((/ (v * v)) ^ 2) ^ n * ((/ (v * v)) ^ 2) ^ n).
  assert (HQpos : 0 < Q).
  { assert (0 < ((/ (v * v)) ^ 2) ^ n) by (repeat apply pow_lt; lra).
    apply Rmult_lt_0_compat; assumption. }
  assert (EQ : Q * v ^ (8 * n) = 1).
  { unfold Q. rewrite pow_mult, <- Rpow_mult_distr, <- Rpow_mult_distr.
    replace ((/ (v * v)) ^ 2 * (/ (v * v)) ^ 2 * v ^ 8) with 1 by (field; lra). apply pow1. }
  (* Q <= 1 + u, as v^{8n} >= 1 − 8nδ = 1 − u/2 *)
  assert (HQ : Q <= 1 + u).
  { assert (Hb := bernoulli (8 * n) dl ltac:(lra)). fold v in Hb.
    rewrite mult_INR in Hb. fold N in Hb. replace (INR 8) with 8 in Hb by (simpl; ring).
    assert (Hb' : 1 <= (1 + u) * v ^ (8 * n)).
    { apply Rle_trans with ((1 + u) * (1 - 8 * N * dl)); [|apply Rmult_le_compat_l; lra]. nra. }
    assert (Q * 1 <= Q * ((1 + u) * v ^ (8 * n))) by (apply Rmult_le_compat_l; lra).
    replace (Q * ((1 + u) * v ^ (8 * n))) with ((1 + u) * (Q * v ^ (8 * n))) in * by ring.
    rewrite EQ in *. lra. }
  (* (1+u)(m − 1 + ε²) = m − 1 + ε² + u(m−1) + u ε²,  ε² = 1/(4N²),  um = 1/(2N²) *)
  apply Rle_lt_trans with ((1 + u) * (m - 1 + eps * eps)).
  { apply Rmult_le_compat_r; [nra|exact HQ]. }
  assert (Ee : eps * eps = / (N * N) / 4) by (unfold eps; field; lra).
  assert (EuR : u * m = / (N * N) / 2) by (unfold u; field; lra).
  assert (Hi : 0 < / (N * N)) by (apply Rinv_0_lt_compat; lra).
  rewrite Ee. nra.
Qed.

(** ** A peak breaks the bound *)

Theorem theorem1_jacobian_as_stated w l n :
  (forall k, (l <= k <= l + n)%nat -> (0 < w k)%nat) ->
  ~ valley w l (l + n) -> ~ theorem1_jacobian_claim w l n.
Proof.
  intros Hw Hnv Hclaim.
  destruct (valley_or_peak w l n) as [Hv|[p [q [Hp [Hq [Hrise Hfall]]]]]]; [exact (Hnv Hv)|].
  set (r := wmin w l n).
  assert (Hr : (0 < r)%nat) by (apply wmin_pos; intros; apply Hw; lia).
  destruct (choice_of_constants n r) as [dl [eps [K [Hdl [Heps [HK [HKdl Hconst]]]]]]];
    [lia|exact Hr|].
  set (W := witness w q eps). set (Wt := shifted dl W).
  set (one := fun (_ _ : nat) => 1).
  assert (Hcond : forall k, (l <= k < l + n)%nat ->
            layer_conditioned K (w (S k)) (w k) (W k) (Wt k) /\
            0 <= delta (w (S k)) (w k) (W k) (change W Wt k) <= dl).
  { intros k Hk. apply shifted_conditioned; try assumption; try (apply Hw; lia).
    apply witness_isometric; try assumption; try (apply Hw; lia). lra. }
  (* the column "last" of layer q is dead: every coordinate alive is < w p < w q *)
  assert (Hjac : forall d i j, (i < w (l + n))%nat -> (j < w l)%nat ->
            jac w one (shifted d W) l n i j
            = if andb (Nat.eqb i j) (Nat.ltb j r)
              then prod n (fun k => factor q eps d j (l + k)) else 0).
  { intros d i j Hi Hj. apply (jac_diagonal w (shifted d W) l n (fun k i => factor q eps d i k));
      try assumption.
    clear i j Hi Hj. intros k i j Hk Hi Hj. apply witness_diagonal; try assumption.
    intros Ek. assert (Hle := wmin_le w l k (p - l)%nat ltac:(lia)).
    replace (l + (p - l))%nat with p in Hle by lia. lia. }
  (* the diagonal entries *)
  set (X := (1 + dl) ^ n - 1). set (Y := (eps + dl) * (1 + dl) ^ (n - 1) - eps).
  assert (Hentry : forall d j, prod n (fun k => factor q eps d j (l + k))
            = if Nat.eqb j 0 then (eps + d) * (1 + d) ^ (n - 1) else (1 + d) ^ n).
  { intros d j. destruct (Nat.eqb_spec j 0) as [->|Hj].
    - rewrite (prod_one_off n (q - l) (1 + d)); [|lia|].
      + unfold factor. replace (l + (q - l))%nat with q by lia. rewrite Nat.eqb_refl. reflexivity.
      + intros i _ Hi. unfold factor. destruct (Nat.eqb_spec (l + i) q); [lia|reflexivity].
    - rewrite <- prod_const. apply prod_ext; intros. unfold factor.
      destruct (Nat.eqb_spec j 0); [lia|]. rewrite Bool.andb_false_r. reflexivity. }
  assert (Hr1 : (r <= w (l + n))%nat) by (apply wmin_le; lia).
  assert (Hr2 : (r <= w l)%nat).
  { assert (H := wmin_le w l n 0 ltac:(lia)). rewrite Nat.add_0_r in H. exact H. }
  (* ‖J‖² = r − 1 + ε², ‖J̃ − J‖² = (r−1) X² + Y² *)
  assert (Hsum : forall a b, sum r (fun j => (if Nat.eqb j 0 then a else b)
                                             * (if Nat.eqb j 0 then a else b))
                             = INR r * (b * b) - b * b + a * a).
  { intros a b. assert (E : sum r (fun j => (if Nat.eqb j 0 then a else b)
                              * (if Nat.eqb j 0 then a else b) - b * b) = a * a - b * b).
    { rewrite (sum_single r 0); [reflexivity|exact Hr|].
      intros i _ Hi. destruct (Nat.eqb_spec i 0); [lia|ring]. }
    rewrite sum_minus, sum_const in E. lra. }
  set (J := jac w one W l n) in *. set (Jt := jac w one Wt l n).
  assert (HJ : fro (w (l + n)%nat) (w l) J * fro (w (l + n)%nat) (w l) J = INR r - 1 + eps * eps).
  { rewrite (fro_diagonal_sqr _ _ r _ (fun j => if Nat.eqb j 0 then eps else 1)), Hsum; auto;
      [ring|]. intros i j Hi Hj. unfold J. rewrite <- (shifted_0 W), Hjac, Hentry by assumption.
    rewrite !Rplus_0_r, !pow1, Rmult_1_r. reflexivity. }
  assert (HD : fro (w (l + n)%nat) (w l) (msub Jt J) * fro (w (l + n)%nat) (w l) (msub Jt J)
               = INR r * (X * X) - X * X + Y * Y).
  { rewrite (fro_diagonal_sqr _ _ r _ (fun j => if Nat.eqb j 0 then Y else X)), Hsum; auto.
    intros i j Hi Hj. unfold msub, Jt, J, Wt. rewrite <- (shifted_0 W) at 2.
    rewrite !Hjac, !Hentry by assumption. rewrite !Rplus_0_r, !pow1, Rmult_1_r.
    unfold X, Y. destruct (andb _ _); [|ring]. destruct (Nat.eqb j 0); reflexivity. }
  assert (HR : 1 <= INR r) by (apply (le_INR 1); lia).
  assert (HN : 1 <= INR n) by (apply (le_INR 1); lia).
  assert (HJpos : 0 < fro (w (l + n)%nat) (w l) J).
  { assert (H0 := fro_nonneg (w (l + n)%nat) (w l) J). nra. }
  (* what the claim says *)
  assert (Hid : forall V h, derivatives_at (fun u => u) w V h l n one)
    by (intros V h j i _ _; apply derivable_pt_lim_id).
  assert (H := Hclaim (fun u => u) 1 1 K W Wt (fun _ => 0) (fun _ => 0) one one
                 Rlt_0_1 identity_transmits (Hid _ _) (Hid _ _)
                 (fun k Hk => proj1 (Hcond k Hk)) HJpos).
  fold J Jt in H. apply quotient_ge in H; [|exact HJpos].
  replace (1 / 1 * K ^ 2) with (K ^ 2) in H by field.
  set (Q := (K ^ 2) ^ n) in *. assert (HQ : 0 <= Q) by (apply pow_le; nra).
  set (X' := prod n _ - 1) in H.
  assert (HX' : 0 <= X' <= X).
  { unfold X', X. split.
    - assert (1 <= prod n (fun k => 1 / 1 * (1 + delta (w (S (l + k))) (w (l + k)%nat)
          (W (l + k)%nat) (change W Wt (l + k))))); [|lra].
      apply prod_ge1. intros k Hk. destruct (Hcond (l + k)%nat ltac:(lia)). lra.
    - apply Rplus_le_compat_r. rewrite <- prod_const. apply prod_le. intros k Hk.
      destruct (Hcond (l + k)%nat ltac:(lia)). lra. }
  (* and what is true *)
  assert (HY : X <= INR n * Y).
  { unfold X, Y. replace n with (S (n - 1)) at 1 2 by lia.
    eapply Rle_trans; [apply pow_increment_le; lra|].
    apply Rmult_le_compat_l; [apply pos_INR|].
    assert (H1 := pow_R1_Rle (1 + dl) (n - 1) ltac:(lra)).
    assert (eps * 1 <= eps * (1 + dl) ^ (n - 1)) by (apply Rmult_le_compat_l; lra). lra. }
  assert (HX : 0 < X).
  { unfold X. assert (H1 := Rlt_pow_R1 (1 + dl) n ltac:(lra) ltac:(lia)). lra. }
  (* square the claim: (r−1) X² + Y² <= Q² X² (r − 1 + ε²) < X² (r − 1 + 1/n²) *)
  assert (Hsq : INR r * (X * X) - X * X + Y * Y <= Q * Q * (INR r - 1 + eps * eps) * (X * X)).
  { rewrite <- HD, <- HJ. set (j := fro (w (l + n)%nat) (w l) J) in *.
    set (d := fro (w (l + n)%nat) (w l) (msub Jt J)) in *.
    assert (Hd : d <= Q * X * j).
    { eapply Rle_trans; [exact H|]. apply Rmult_le_compat_r; [lra|].
      apply Rmult_le_compat_l; lra. }
    assert (0 <= d) by apply fro_nonneg.
    replace (Q * Q * (j * j) * (X * X)) with (Q * X * j * (Q * X * j)) by ring.
    apply Rmult_le_compat; assumption. }
  assert (Hlt : Q * Q * (INR r - 1 + eps * eps) * (X * X)
                < (INR r - 1 + / (INR n * INR n)) * (X * X)).
  { apply Rmult_lt_compat_r; [nra|exact Hconst]. }
  assert (HYY : / (INR n * INR n) * (X * X) <= Y * Y).
  { replace (Y * Y) with (/ (INR n * INR n) * (INR n * Y * (INR n * Y))) by (field; lra).
    apply Rmult_le_compat_l; [apply Rlt_le, Rinv_0_lt_compat; nra|].
    apply Rmult_le_compat; lra. }
  lra.
Qed.

Theorem theorem1_jacobian_iff w l n :
  (forall k, (l <= k <= l + n)%nat -> (0 < w k)%nat) ->
  (theorem1_jacobian_claim w l n <-> valley w l (l + n)).
Proof.
  intros Hw. split.
  - intros Hclaim. destruct (valley_or_peak w l n) as [Hv|[p [q [Hp [Hq [Hr Hf]]]]]];
      [exact Hv|exfalso].
    exact (theorem1_jacobian_as_stated w l n Hw (valley_no_peak w l (l + n) p q Hp Hq Hr Hf) Hclaim).
  - intros Hv phi al be K W Wt h ht G Gt Hal Hphi HG HGt Hcond HJ.
    assert (Hslope : forall V h0 G0, derivatives_at phi w V h0 l n G0 ->
              forall k i, (l <= k < l + n)%nat -> (i < w (S k))%nat ->
              slope al be (phi_sign phi) (G0 k i)).
    { intros V h0 G0 HG0 k i Hk Hi. specialize (HG0 (k - l)%nat i ltac:(lia)).
      replace (l + (k - l))%nat with k in HG0 by lia.
      exact (derivatives_have_one_sign phi al be Hal Hphi _ _ (HG0 Hi)). }
    apply theorem1_jacobian with (sg := phi_sign phi); auto.
    + exact (transmits_le al be phi Hphi).
    + apply phi_sign_is_sign.
    + intros k Hk. apply (Hcond k Hk).
    + exact (Hslope W h G HG).
    + exact (Hslope Wt ht Gt HGt).
    + intros k Hk. apply (Hcond k Hk).
    + intros k Hk. apply (Hcond k Hk).
Qed.
