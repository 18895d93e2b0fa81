(** * Singular values and conditioning

    The largest and smallest singular values of an m × n matrix are taken as what the
    Courant–Fischer theorem says they are:

    [opnorm m n A] = s_max(A) = ‖A‖₂ = sup { ‖A x‖ : ‖x‖ <= 1 },
    [gain m n A]   = the largest s with  s ‖x‖ <= ‖A x‖  for all x,
    [smin m n A]   = s_min(A), the smallest of the min(m, n) singular values (thin convention):
                     the gain of A if A is square or tall, that of Aᵀ if A is wide.

    [cond m n A]          = κ(A) = s_max(A) / s_min(A).
    [conditioned K m n A] = s_max(A) <= K s_min(A).  This says κ(A) <= K when s_min(A) > 0, and it
                            leaves the zero matrix free: "a layer with ΔW = 0 puts no condition
                            on κ".  A non-zero matrix of deficient rank is never conditioned.

    What the paper uses about conditioning is the last part of this file: each claimed bound needs
    ‖W‖₂ <= c s_min(W) and ‖ΔW‖₂ <= c d s_min(W) for a pair (c, d) of numbers, and
        c = κ(W), d = ρ = ‖ΔW‖₂/‖W‖₂    with no hypothesis on ΔW    (claims spectral)
        c = κ,    d = κ δ, δ = ‖ΔW‖_F/‖W‖_F     if κ(W), κ(ΔW) <= κ (claim kappa.function)
        c = κ²,   d = δ                         if κ(W), κ(ΔW) <= κ (Theorem 1). *)

From Coq Require Import Reals Lra Lia.
From DRT Require Import Sums Norms.
Open Scope R_scope.

(** ** The operator norm *)

Definition unit_ball_image m n A : R -> Prop :=
  fun r => exists x, nrm n x <= 1 /\ r = nrm m (mv n A x).

(** ‖A x‖ <= ‖A‖_F ‖x‖ : row by row, Cauchy–Schwarz. *)
Lemma mv_le_fro m n A x : nrm m (mv n A x) <= fro m n A * nrm n x.
Proof.
  rewrite <- fro_tr, fro_columns, Rmult_comm.
  apply nrm_le_scal; [apply nrm_nonneg|]; intros i _.
  rewrite (Rabs_right (nrm _ _)) by apply Rle_ge, nrm_nonneg. rewrite Rmult_comm.
  exact (cauchy_schwarz n (col (tr A) i) x).
Qed.

Lemma unit_ball_image_bounded m n A : bound (unit_ball_image m n A).
Proof.
  exists (fro m n A). intros r [x [Hx ->]].
  eapply Rle_trans; [apply mv_le_fro|]. rewrite <- (Rmult_1_r (fro m n A)) at 2.
  apply Rmult_le_compat_l; [apply fro_nonneg|exact Hx].
Qed.

Lemma unit_ball_image_zero m n A : unit_ball_image m n A 0.
Proof.
  assert (Z : forall k, nrm k (fun _ => 0) = 0) by (intros; apply nrm_zero; auto).
  exists (fun _ => 0). split; [rewrite Z; lra|].
  symmetry. apply nrm_zero; intros. unfold mv.
  rewrite (sum_ext n _ (fun _ => 0)), sum_const; intros; ring.
Qed.

Definition opnorm m n A : R :=
  proj1_sig (completeness _ (unit_ball_image_bounded m n A)
                            (ex_intro _ 0 (unit_ball_image_zero m n A))).

Lemma opnorm_lub m n A : is_lub (unit_ball_image m n A) (opnorm m n A).
Proof. unfold opnorm. destruct (completeness _ _ _). assumption. Qed.

Lemma opnorm_nonneg m n A : 0 <= opnorm m n A.
Proof. apply opnorm_lub, unit_ball_image_zero. Qed.

Lemma mv_le_opnorm m n A x : nrm m (mv n A x) <= opnorm m n A * nrm n x.
Proof.
  assert (Hx := nrm_nonneg n x). destruct (Req_dec (nrm n x) 0) as [Hz|Hz].
  - eapply Rle_trans; [apply mv_le_fro|]. rewrite Hz; lra.
  - assert (Hi : 0 < / nrm n x) by (apply Rinv_0_lt_compat; lra).
    assert (H : nrm m (mv n A (fun j => / nrm n x * x j)) <= opnorm m n A).
    { apply opnorm_lub. exists (fun j => / nrm n x * x j). split; [|reflexivity].
      rewrite nrm_scal, Rabs_right, Rinv_l by lra. lra. }
    rewrite (nrm_ext m _ _ (fun i _ => mv_scal n A (/ nrm n x) x i)) in H.
    rewrite nrm_scal, Rabs_right in H by lra.
    apply (quotient_ge _ _ (nrm n x)); [lra|]. unfold Rdiv. lra.
Qed.

Lemma opnorm_le m n A c :
  0 <= c -> (forall x, nrm m (mv n A x) <= c * nrm n x) -> opnorm m n A <= c.
Proof.
  intros Hc H. apply opnorm_lub. intros r [x [Hx ->]].
  eapply Rle_trans; [apply H|]. rewrite <- (Rmult_1_r c) at 2. apply Rmult_le_compat_l; lra.
Qed.

(** ‖Aᵀ‖ = ‖A‖, since ‖Aᵀ y‖² = ⟨A Aᵀ y, y⟩ <= ‖A‖ ‖Aᵀ y‖ ‖y‖. *)
Lemma opnorm_tr_le m n A : opnorm n m (tr A) <= opnorm m n A.
Proof.
  assert (HA := opnorm_nonneg m n A).
  apply opnorm_le; [exact HA|]. intros y.
  set (v := mv m (tr A) y). assert (Hv := nrm_nonneg n v). assert (Hy := nrm_nonneg m y).
  assert (H : nrm n v * nrm n v <= opnorm m n A * nrm n v * nrm m y).
  { rewrite nrm_sqr. unfold v at 2. rewrite <- dot_mv.
    eapply Rle_trans; [apply Rle_abs|]. eapply Rle_trans; [apply cauchy_schwarz|].
    apply Rmult_le_compat_r; [exact Hy|apply mv_le_opnorm]. }
  destruct (Req_dec (nrm n v) 0) as [->|Hz]; [apply Rmult_le_pos; assumption|].
  apply Rmult_le_reg_r with (nrm n v); lra.
Qed.

Lemma opnorm_tr m n A : opnorm n m (tr A) = opnorm m n A.
Proof. apply Rle_antisym; [apply opnorm_tr_le|exact (opnorm_tr_le n m (tr A))]. Qed.

(** ‖B‖ <= ‖A‖ + ‖B − A‖ *)
Lemma opnorm_triangle m n A B : opnorm m n B <= opnorm m n A + opnorm m n (msub B A).
Proof.
  assert (HA := opnorm_nonneg m n A). assert (HD := opnorm_nonneg m n (msub B A)).
  apply opnorm_le; [lra|]. intros x.
  rewrite (nrm_ext m _ (vadd (mv n A x) (mv n (msub B A) x))).
  2:{ intros. unfold vadd. rewrite mv_msub; ring. }
  eapply Rle_trans; [apply triangle|]. rewrite Rmult_plus_distr_r.
  apply Rplus_le_compat; apply mv_le_opnorm.
Qed.

(** ** The smallest singular value *)

(** The first conjunct follows from the second unless n = 0; it keeps the set bounded there too. *)
Definition lower_bounds m n A : R -> Prop :=
  fun s => s <= opnorm m n A /\ forall x, s * nrm n x <= nrm m (mv n A x).

Lemma lower_bounds_bounded m n A : bound (lower_bounds m n A).
Proof. exists (opnorm m n A). intros s [Hs _]. exact Hs. Qed.

Lemma lower_bounds_zero m n A : lower_bounds m n A 0.
Proof. split; [apply opnorm_nonneg|]. intros. rewrite Rmult_0_l. apply nrm_nonneg. Qed.

Definition gain m n A : R :=
  proj1_sig (completeness _ (lower_bounds_bounded m n A)
                            (ex_intro _ 0 (lower_bounds_zero m n A))).

Lemma gain_lub m n A : is_lub (lower_bounds m n A) (gain m n A).
Proof. unfold gain. destruct (completeness _ _ _). assumption. Qed.

Lemma gain_nonneg m n A : 0 <= gain m n A.
Proof. apply gain_lub, lower_bounds_zero. Qed.

Lemma gain_le_opnorm m n A : gain m n A <= opnorm m n A.
Proof. apply gain_lub. intros s [Hs _]. exact Hs. Qed.

Lemma gain_le_mv m n A x : gain m n A * nrm n x <= nrm m (mv n A x).
Proof.
  assert (Hx := nrm_nonneg n x). destruct (Req_dec (nrm n x) 0) as [->|Hz].
  - rewrite Rmult_0_r. apply nrm_nonneg.
  - assert (Hi : 0 < / nrm n x) by (apply Rinv_0_lt_compat; lra).
    assert (H : gain m n A <= nrm m (mv n A x) * / nrm n x).
    { apply gain_lub. intros s [_ Hs]. apply Rmult_le_reg_r with (nrm n x); [lra|].
      rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra. apply Hs. }
    apply Rmult_le_compat_r with (r := nrm n x) in H; [|lra].
    rewrite Rmult_assoc, Rinv_l, Rmult_1_r in H by lra. exact H.
Qed.

Lemma gain_ge m n A s :
  (0 < n)%nat -> (forall x, s * nrm n x <= nrm m (mv n A x)) -> s <= gain m n A.
Proof.
  intros Hn H. apply gain_lub. split; [|exact H].
  assert (H1 := H (col idm 0)). assert (H2 := mv_le_opnorm m n A (col idm 0)).
  rewrite nrm_unit in H1, H2 by exact Hn. lra.
Qed.

Definition smin m n A : R := if Nat.leb n m then gain m n A else gain n m (tr A).
Definition cond m n A : R := opnorm m n A / smin m n A.
Definition conditioned (K : R) m n A : Prop := opnorm m n A <= K * smin m n A.

Lemma smin_nonneg m n A : 0 <= smin m n A.
Proof. unfold smin. destruct (Nat.leb n m); apply gain_nonneg. Qed.

Lemma smin_le_opnorm m n A : smin m n A <= opnorm m n A.
Proof.
  unfold smin. destruct (Nat.leb n m); [|rewrite <- opnorm_tr]; apply gain_le_opnorm.
Qed.

(** ** Square matrices: A and Aᵀ have the same gain

    This needs a little linear algebra: n equations in n + 1 unknowns have a non-zero solution
    (Gaussian elimination on the last unknown), so that an injective square matrix is onto. *)

Definition skip (p i : nat) : nat := if Nat.ltb i p then i else S i.

Lemma zero_or_pivot n (f : vec) :
  (forall i, (i < n)%nat -> f i = 0) \/ exists p, (p < n)%nat /\ f p <> 0.
Proof.
  induction n as [|n [IH|[p [Hp Hne]]]].
  - left; intros; lia.
  - destruct (Req_dec (f n) 0) as [Hz|Hz].
    + left; intros. destruct (Nat.eq_dec i n) as [->|]; [exact Hz|apply IH; lia].
    + right. exists n. split; [lia|exact Hz].
  - right. exists p. split; [lia|exact Hne].
Qed.

Lemma kernel n : forall A : mat, exists x : vec,
  (exists j, (j <= n)%nat /\ x j <> 0) /\ forall i, (i < n)%nat -> mv (S n) A x i = 0.
Proof.
  induction n as [|n IH]; intros A.
  - exists (fun _ => 1). split; [exists 0%nat; split; [lia|lra]|intros; lia].
  - destruct (zero_or_pivot (S n) (fun i => A i (S n))) as [Hz|[p [Hp Hne]]].
    + (* no equation mentions the last unknown: set it to 1, the others to 0 *)
      exists (col idm (S n)). split.
      * exists (S n). split; [lia|]. unfold col, idm. rewrite Nat.eqb_refl; lra.
      * intros i Hi. rewrite mv_unit by lia. apply Hz, Hi.
    + (* eliminate the last unknown by means of equation p *)
      destruct (IH (fun i j => A (skip p i) j - A (skip p i) (S n) / A p (S n) * A p j))
        as [x [[j [Hj Hx]] Hker]].
      set (y := - (mv (S n) A x p / A p (S n))).
      exists (fun j => if Nat.eqb j (S n) then y else x j). split.
      * exists j. split; [lia|]. destruct (Nat.eqb_spec j (S n)); [lia|exact Hx].
      * assert (E : forall i, mv (S (S n)) A (fun j => if Nat.eqb j (S n) then y else x j) i
                              = mv (S n) A x i + A i (S n) * y).
        { intros i. unfold mv. change (sum (S (S n)) ?f) with (sum (S n) f + f (S n)).
          cbv beta. rewrite Nat.eqb_refl. f_equal. apply sum_ext; intros k Hk.
          destruct (Nat.eqb_spec k (S n)); [lia|reflexivity]. }
        intros i Hi. rewrite E. destruct (Nat.eq_dec i p) as [->|Hip].
        { unfold y. field. exact Hne. }
        assert (Hs : exists k, (k < n)%nat /\ skip p k = i).
        { unfold skip. destruct (Nat.lt_ge_cases i p).
          - exists i. split; [lia|]. destruct (Nat.ltb_spec i p); lia.
          - exists (i - 1)%nat. split; [lia|]. destruct (Nat.ltb_spec (i - 1) p); lia. }
        destruct Hs as [k [Hk <-]]. assert (H := Hker k Hk). unfold mv in H.
        rewrite (sum_ext _ _ (fun j => A (skip p k) j * x j
                   - A (skip p k) (S n) / A p (S n) * (A p j * x j))) in H by (intros; ring).
        rewrite sum_minus, sum_scal in H. unfold y.
        fold (mv (S n) A x (skip p k)) (mv (S n) A x p) in H.
        rewrite <- H. field. exact Hne.
Qed.

(** A square matrix with positive gain is onto. *)
Lemma onto n A y :
  0 < gain n n A -> exists z, forall i, (i < n)%nat -> mv n A z i = y i.
Proof.
  intros Hg.
  destruct (kernel n (fun i j => if Nat.eqb j n then y i else A i j)) as [v [[j [Hj Hv]] Hker]].
  assert (E : forall i, (i < n)%nat -> mv n A v i + y i * v n = 0).
  { intros i Hi. rewrite <- (Hker i Hi). unfold mv.
    change (sum (S n) ?f) with (sum n f + f n). cbv beta. rewrite Nat.eqb_refl. f_equal.
    apply sum_ext; intros k Hk. destruct (Nat.eqb_spec k n); [lia|reflexivity]. }
  destruct (Req_dec (v n) 0) as [Hz|Hz].
  - (* then A v = 0, hence v = 0 *)
    exfalso. apply Hv. assert (Hn : nrm n v = 0).
    { assert (H := gain_le_mv n n A v).
      rewrite (nrm_zero n (mv n A v)) in H.
      - assert (H0 := nrm_nonneg n v). nra.
      - intros i Hi. assert (H1 := E i Hi). rewrite Hz in H1. lra. }
    destruct (Nat.eq_dec j n) as [->|]; [exact Hz|]. apply (nrm_zero_inv n v Hn). lia.
  - exists (fun k => - / v n * v k). intros i Hi. rewrite mv_scal.
    assert (H1 := E i Hi). replace (mv n A v i) with (- (y i * v n)) by lra. field. exact Hz.
Qed.

Lemma gain_tr_square n A : gain n n A <= gain n n (tr A).
Proof.
  destruct (Nat.eq_dec n 0) as [->|Hn].
  { apply (proj1 (gain_lub 0 0 (tr A))).
    split; [rewrite opnorm_tr; apply gain_le_opnorm|]. intros x.
    rewrite (nrm_zero 0 x) by (intros; lia). rewrite Rmult_0_r. apply nrm_nonneg. }
  destruct (Rle_lt_dec (gain n n A) 0) as [H0|Hg].
  { eapply Rle_trans; [exact H0|apply gain_nonneg]. }
  apply gain_ge; [lia|]. intros y. destruct (onto n A y Hg) as [z Hz].
  (* ‖y‖² = ⟨A z, y⟩ = ⟨z, Aᵀ y⟩ <= ‖z‖ ‖Aᵀ y‖  and  gain ‖z‖ <= ‖y‖ *)
  set (v := nrm n (mv n (tr A) y)). assert (Hv : 0 <= v) by apply nrm_nonneg.
  assert (Hy := nrm_nonneg n y).
  assert (H1 : gain n n A * nrm n z <= nrm n y).
  { rewrite <- (nrm_ext n (mv n A z) y Hz). apply gain_le_mv. }
  assert (H2 : nrm n y * nrm n y <= nrm n z * v).
  { rewrite nrm_sqr, (dot_ext n y (mv n A z) y y) by (intros; rewrite ?Hz; auto).
    rewrite dot_mv. eapply Rle_trans; [apply Rle_abs|apply cauchy_schwarz]. }
  destruct (Req_dec (nrm n y) 0) as [->|Hne]; [rewrite Rmult_0_r; exact Hv|].
  apply Rmult_le_reg_r with (nrm n y); [lra|].
  apply Rle_trans with (gain n n A * nrm n z * v); [|rewrite (Rmult_comm v)].
  - replace (gain n n A * nrm n y * nrm n y) with (gain n n A * (nrm n y * nrm n y)) by ring.
    rewrite Rmult_assoc. apply Rmult_le_compat_l; [lra|exact H2].
  - apply Rmult_le_compat_r; assumption.
Qed.

(** s_min(A) ‖x‖ <= ‖A x‖ when A does not contract. *)
Lemma smin_le_mv m n A x : (n <= m)%nat -> smin m n A * nrm n x <= nrm m (mv n A x).
Proof.
  intros H. unfold smin. destruct (Nat.leb_spec n m); [apply gain_le_mv|lia].
Qed.

(** s_min(A) ‖y‖ <= ‖Aᵀ y‖ when A does not expand. *)
Lemma smin_le_mv_tr m n A y : (m <= n)%nat -> smin m n A * nrm m y <= nrm n (mv m (tr A) y).
Proof.
  intros H. unfold smin. destruct (Nat.leb_spec n m) as [Hle|Hlt]; [|apply gain_le_mv].
  assert (m = n) by lia; subst m.
  eapply Rle_trans; [|apply gain_le_mv]. apply Rmult_le_compat_r; [apply nrm_nonneg|].
  apply gain_tr_square.
Qed.

(** A lower bound for s_min from vectors. *)
Lemma smin_ge_tall m n A s :
  (0 < n <= m)%nat -> (forall x, s * nrm n x <= nrm m (mv n A x)) -> s <= smin m n A.
Proof.
  intros Hn H. unfold smin. destruct (Nat.leb_spec n m); [apply gain_ge; [lia|exact H]|lia].
Qed.

Lemma smin_ge_wide m n A s :
  (0 < m < n)%nat -> (forall y, s * nrm m y <= nrm n (mv m (tr A) y)) -> s <= smin m n A.
Proof.
  intros Hn H. unfold smin. destruct (Nat.leb_spec n m); [lia|apply gain_ge; [lia|exact H]].
Qed.

(** ** Frobenius norm against singular values: √r s_min <= ‖A‖_F <= √r s_max, r = min(m, n) *)

Lemma nrm_const n c : 0 <= c -> nrm n (fun _ => c) = sqrt (INR n) * c.
Proof.
  intros Hc. unfold nrm, dot. rewrite sum_const, sqrt_mult_alt by apply pos_INR.
  rewrite sqrt_square; auto.
Qed.

(** Every column of A has length A e_j. *)
Lemma fro_le_columns m n A c :
  0 <= c -> (forall x, nrm m (mv n A x) <= c * nrm n x) -> fro m n A <= sqrt (INR n) * c.
Proof.
  intros Hc H. rewrite fro_columns, <- nrm_const by exact Hc.
  rewrite <- (Rmult_1_l (nrm n (fun _ => c))). apply nrm_le_scal; [lra|]; intros j Hj.
  rewrite !Rabs_right by (try apply Rle_ge, nrm_nonneg; lra).
  assert (Hj' := H (col idm j)). rewrite nrm_unit in Hj' by exact Hj.
  rewrite (nrm_ext m _ (col A j) (fun i _ => mv_unit n A j i Hj)) in Hj'. lra.
Qed.

Lemma fro_ge_columns m n A s :
  0 <= s -> (forall x, s * nrm n x <= nrm m (mv n A x)) -> sqrt (INR n) * s <= fro m n A.
Proof.
  intros Hs H. rewrite fro_columns, <- nrm_const by exact Hs.
  rewrite <- (Rmult_1_l (nrm n (fun _ => s))). apply nrm_ge_scal; [lra|]; intros j Hj.
  rewrite !Rabs_right by (try apply Rle_ge, nrm_nonneg; lra).
  assert (Hj' := H (col idm j)). rewrite nrm_unit in Hj' by exact Hj.
  rewrite (nrm_ext m _ (col A j) (fun i _ => mv_unit n A j i Hj)) in Hj'. lra.
Qed.

Lemma fro_le_opnorm m n A : fro m n A <= sqrt (INR (Nat.min m n)) * opnorm m n A.
Proof.
  destruct (Nat.min_spec m n) as [[_ ->]|[_ ->]].
  - rewrite <- fro_tr, <- opnorm_tr.
    apply fro_le_columns; [apply opnorm_nonneg|apply mv_le_opnorm].
  - apply fro_le_columns; [apply opnorm_nonneg|apply mv_le_opnorm].
Qed.

Lemma fro_ge_smin m n A : sqrt (INR (Nat.min m n)) * smin m n A <= fro m n A.
Proof.
  destruct (Nat.min_spec m n) as [[Hlt ->]|[Hle ->]].
  - rewrite <- fro_tr. apply fro_ge_columns; [apply smin_nonneg|].
    intros; apply smin_le_mv_tr; lia.
  - apply fro_ge_columns; [apply smin_nonneg|]. intros; apply smin_le_mv; lia.
Qed.

(** ** What the bounds need of one layer *)

Definition rho m n W D : R := opnorm m n D / opnorm m n W.
Definition delta m n W D : R := fro m n D / fro m n W.

Definition layer_bound (c d : R) m n W D : Prop :=
  0 < smin m n W /\ 1 <= c /\ 0 <= d
  /\ opnorm m n W <= c * smin m n W /\ opnorm m n D <= c * d * smin m n W.

Lemma layer_bound_spectral m n W D :
  0 < smin m n W -> layer_bound (cond m n W) (rho m n W D) m n W D.
Proof.
  intros Hs. assert (Hle := smin_le_opnorm m n W). unfold cond, rho.
  repeat split; auto.
  - apply Rmult_le_reg_r with (smin m n W); [exact Hs|].
    unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra.
  - apply quotient_nonneg; [apply opnorm_nonneg|lra].
  - right. field. lra.
  - right. field. lra.
Qed.

(** The paper's estimate: ‖ΔW‖₂ <= κ s_min(ΔW) <= κ ‖ΔW‖_F/√r = κ δ ‖W‖_F/√r <= κ δ ‖W‖₂. *)
Lemma conditioned_estimate K m n W D :
  (0 < m)%nat -> (0 < n)%nat -> 0 < smin m n W -> conditioned K m n W -> conditioned K m n D ->
  1 <= K /\ 0 <= delta m n W D /\ opnorm m n D <= K * delta m n W D * opnorm m n W.
Proof.
  intros Hm Hn Hs HW HD. unfold conditioned in *.
  assert (HK : 1 <= K).
  { assert (H := smin_le_opnorm m n W). apply Rmult_le_reg_r with (smin m n W); lra. }
  assert (Hr : 0 < sqrt (INR (Nat.min m n))) by (apply sqrt_lt_R0, lt_0_INR; lia).
  assert (HFW : 0 < fro m n W).
  { eapply Rlt_le_trans; [|apply fro_ge_smin]. apply Rmult_lt_0_compat; assumption. }
  assert (Hd : 0 <= delta m n W D) by (apply quotient_nonneg; [apply fro_nonneg|exact HFW]).
  split; [exact HK|]. split; [exact Hd|].
  eapply Rle_trans; [exact HD|]. rewrite Rmult_assoc. apply Rmult_le_compat_l; [lra|].
  apply Rmult_le_reg_l with (sqrt (INR (Nat.min m n))); [exact Hr|].
  eapply Rle_trans; [apply fro_ge_smin|].
  replace (fro m n D) with (delta m n W D * fro m n W) by (unfold delta; field; lra).
  rewrite <- Rmult_assoc, (Rmult_comm (sqrt _)), Rmult_assoc.
  apply Rmult_le_compat_l; [exact Hd|apply fro_le_opnorm].
Qed.

Lemma layer_bound_kappa K m n W D :
  (0 < m)%nat -> (0 < n)%nat -> 0 < smin m n W -> conditioned K m n W -> conditioned K m n D ->
  layer_bound K (K * delta m n W D) m n W D.
Proof.
  intros Hm Hn Hs HW HD.
  destruct (conditioned_estimate K m n W D) as [HK [Hd H]]; auto.
  repeat split; auto; [apply Rmult_le_pos; lra|].
  eapply Rle_trans; [exact H|].
  replace (K * (K * delta m n W D) * smin m n W)
    with (K * delta m n W D * (K * smin m n W)) by ring.
  apply Rmult_le_compat_l; [apply Rmult_le_pos; lra|exact HW].
Qed.

Lemma layer_bound_kappa_squared K m n W D :
  (0 < m)%nat -> (0 < n)%nat -> 0 < smin m n W -> conditioned K m n W -> conditioned K m n D ->
  layer_bound (K * K) (delta m n W D) m n W D.
Proof.
  intros Hm Hn Hs HW HD.
  destruct (layer_bound_kappa K m n W D) as [_ [HK [_ [_ H]]]]; auto.
  destruct (conditioned_estimate K m n W D) as [_ [Hd _]]; auto.
  repeat split; auto; [nra| |lra].
  eapply Rle_trans; [exact HW|]. apply Rmult_le_compat_r; [lra|nra].
Qed.
