(** * Matrices with known singular values, and the networks made of them

    The counterexamples to Theorem 1 as stated, and the examples that show the hypotheses of the
    theorems can be met, are networks of the following layers:

    W_k = I, cut to shape, except one layer q where the width falls:
        row 0 of W_q is  ε e_0 + √(1−ε²) e_last,  row i is e_i for i > 0          [witness w q ε]
    W̃_k = W_k + δ I                                                               [shifted δ W]

    W_q has orthonormal rows, so every W_k has all its singular values equal to 1, those of W̃_k
    lie in [1−δ, 1+δ], those of ΔW_k are δ, and δ_k = ‖ΔW_k‖_F/‖W_k‖_F <= δ
    ([shifted_conditioned]).  Yet layer q passes the first coordinate only with factor ε, and ΔW_q
    passes it with factor δ: away from the coordinate "last" these layers act diagonally, with the
    factors [factor q ε δ i k] ([witness_diagonal]). *)

From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From DRT Require Import Sums Norms Conditioning Network.
Open Scope R_scope.

(** ** Isometries, multiples, perturbations *)

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
          { rewrite (sum_single m' j);
              [|lia|intros i _ Hij; unfold idm; destruct (Nat.eqb_spec (S i) (S j)); [lia|ring]].
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
