(** * Vectors, matrices and their norms

    A vector is a function [nat -> R] of which only the first n entries count, a matrix a function
    [nat -> nat -> R] of which only the first m rows and n columns count; the sizes are arguments
    of every operation.

    [nrm n x]      Euclidean norm ‖x‖₂
    [mv n A x]     the product A x, [mm n A B] the product A B (n is the inner dimension)
    [fro m n A]    Frobenius norm ‖A‖_F
    [dotF m n A B] Frobenius inner product ⟨A, B⟩ = Σ A_ij B_ij *)

From Coq Require Import Reals Lra Lia.
From DRT Require Import Sums.
Open Scope R_scope.

Definition vec := nat -> R.
Definition mat := nat -> nat -> R.

Definition vadd (x y : vec) : vec := fun i => x i + y i.
Definition vsub (x y : vec) : vec := fun i => x i - y i.
Definition madd (A B : mat) : mat := fun i j => A i j + B i j.
Definition msub (A B : mat) : mat := fun i j => A i j - B i j.
Definition mscal (c : R) (A : mat) : mat := fun i j => c * A i j.
Definition tr (A : mat) : mat := fun i j => A j i.
Definition col (A : mat) (j : nat) : vec := fun i => A i j.
Definition idm : mat := fun i j => if Nat.eqb i j then 1 else 0.

Definition dot (n : nat) (x y : vec) : R := sum n (fun i => x i * y i).
Definition nrm (n : nat) (x : vec) : R := sqrt (dot n x x).
Definition mv (n : nat) (A : mat) (x : vec) : vec := fun i => sum n (fun j => A i j * x j).
Definition mm (n : nat) (A B : mat) : mat := fun i k => sum n (fun j => A i j * B j k).
Definition dotF (m n : nat) (A B : mat) : R := sum n (fun j => dot m (col A j) (col B j)).
Definition fro (m n : nat) (A : mat) : R := sqrt (dotF m n A A).

(** ** The Euclidean norm *)

Lemma le_of_sqr a b : 0 <= b -> a * a <= b * b -> a <= b.
Proof. intros. nra. Qed.

Lemma eq_of_sqr a b : 0 <= a -> 0 <= b -> a * a = b * b -> a = b.
Proof. intros. apply Rle_antisym; apply le_of_sqr; lra. Qed.

Lemma dot_ext n x x' y y' :
  (forall i, (i < n)%nat -> x i = x' i) -> (forall i, (i < n)%nat -> y i = y' i) ->
  dot n x y = dot n x' y'.
Proof. intros Hx Hy. apply sum_ext; intros. rewrite Hx, Hy; auto. Qed.

Lemma dot_self_nonneg n x : 0 <= dot n x x.
Proof. apply sum_nonneg; intros. nra. Qed.

Lemma nrm_nonneg n x : 0 <= nrm n x.
Proof. apply sqrt_pos. Qed.

Lemma nrm_sqr n x : nrm n x * nrm n x = dot n x x.
Proof. apply sqrt_sqrt, dot_self_nonneg. Qed.

Lemma nrm_ext n x y : (forall i, (i < n)%nat -> x i = y i) -> nrm n x = nrm n y.
Proof. intros H. unfold nrm. f_equal. apply dot_ext; auto. Qed.

Lemma nrm_scal n c x : nrm n (fun i => c * x i) = Rabs c * nrm n x.
Proof.
  apply eq_of_sqr; [apply nrm_nonneg|apply Rmult_le_pos; [apply Rabs_pos|apply nrm_nonneg]|].
  replace (Rabs c * nrm n x * (Rabs c * nrm n x))
    with (Rabs c * Rabs c * (nrm n x * nrm n x)) by ring.
  rewrite !nrm_sqr. fold (Rsqr (Rabs c)). rewrite <- Rsqr_abs. unfold Rsqr, dot.
  rewrite <- sum_scal. apply sum_ext; intros; ring.
Qed.

Lemma nrm_zero n x : (forall i, (i < n)%nat -> x i = 0) -> nrm n x = 0.
Proof.
  intros H. rewrite (nrm_ext n x (fun i => 0 * x i)) by (intros; rewrite H by auto; ring).
  rewrite nrm_scal, Rabs_R0; ring.
Qed.

Lemma nrm_zero_inv n x : nrm n x = 0 -> forall i, (i < n)%nat -> x i = 0.
Proof.
  intros H. assert (Hs : dot n x x = 0) by (rewrite <- nrm_sqr, H; ring). clear H.
  induction n as [|n IH]; intros i Hi; [lia|].
  change (dot (S n) x x) with (dot n x x + x n * x n) in Hs.
  assert (Hn := dot_self_nonneg n x). assert (Hx : 0 <= x n * x n) by nra.
  destruct (Nat.eq_dec i n) as [->|Hne]; [nra|apply IH; [lra|lia]].
Qed.

(** Entrywise comparison. *)
Lemma nrm_le_scal n c x y :
  0 <= c -> (forall i, (i < n)%nat -> Rabs (x i) <= c * Rabs (y i)) -> nrm n x <= c * nrm n y.
Proof.
  intros Hc H. rewrite <- (Rabs_right c) by lra. rewrite <- nrm_scal.
  apply sqrt_le_1_alt, sum_le; intros i Hi. specialize (H i Hi).
  rewrite <- (Rabs_right (x i * x i)) by nra. rewrite Rabs_mult.
  replace (c * y i * (c * y i)) with (c * c * (y i * y i)) by ring.
  rewrite <- (Rabs_right (y i * y i)) by nra. rewrite Rabs_mult.
  assert (0 <= Rabs (x i)) by apply Rabs_pos.
  replace (c * c * (Rabs (y i) * Rabs (y i))) with (c * Rabs (y i) * (c * Rabs (y i))) by ring.
  apply Rmult_le_compat; lra.
Qed.

Lemma nrm_ge_scal n c x y :
  0 <= c -> (forall i, (i < n)%nat -> c * Rabs (x i) <= Rabs (y i)) -> c * nrm n x <= nrm n y.
Proof.
  intros Hc H. rewrite <- (Rabs_right c) at 1 by lra. rewrite <- nrm_scal.
  rewrite <- (Rmult_1_l (nrm n y)). apply nrm_le_scal; [lra|]; intros.
  rewrite Rabs_mult, (Rabs_right c), Rmult_1_l by lra. auto.
Qed.

Lemma cauchy_schwarz n x y : Rabs (dot n x y) <= nrm n x * nrm n y.
Proof.
  (* 0 <= ‖ ‖x‖² y − ⟨x,y⟩ x ‖²  =  ‖x‖² (‖x‖²‖y‖² − ⟨x,y⟩²). *)
  assert (Hsq : dot n x y * dot n x y <= dot n x x * dot n y y).
  { assert (E : dot n (fun i => dot n x x * y i - dot n x y * x i)
                      (fun i => dot n x x * y i - dot n x y * x i)
              = dot n x x * (dot n x x * dot n y y - dot n x y * dot n x y)).
    { set (a := dot n x x). set (b := dot n x y). unfold dot.
      rewrite (sum_ext n _ (fun i => a * a * (y i * y i)
                 + (- (2 * a * b) * (x i * y i) + b * b * (x i * x i)))) by (intros; ring).
      rewrite !sum_plus, !sum_scal.
      fold (dot n y y) (dot n x y) (dot n x x). fold a b. ring. }
    assert (H := dot_self_nonneg n (fun i => dot n x x * y i - dot n x y * x i)).
    rewrite E in H. assert (Ha := dot_self_nonneg n x).
    destruct (Req_dec (dot n x x) 0) as [Hz|Hz]; [|nra].
    (* x = 0 *)
    assert (Hx : nrm n x = 0) by (unfold nrm; rewrite Hz; apply sqrt_0).
    assert (Z : dot n x y = 0).
    { unfold dot. rewrite (sum_ext n _ (fun _ => 0)), sum_const; [ring|].
      intros i Hi. rewrite (nrm_zero_inv n x Hx i Hi); ring. }
    rewrite Z, Hz; lra. }
  apply le_of_sqr; [apply Rmult_le_pos; apply nrm_nonneg|].
  replace (nrm n x * nrm n y * (nrm n x * nrm n y))
    with (nrm n x * nrm n x * (nrm n y * nrm n y)) by ring.
  rewrite !nrm_sqr. fold (Rsqr (Rabs (dot n x y))). rewrite <- Rsqr_abs. exact Hsq.
Qed.

Lemma triangle n x y : nrm n (vadd x y) <= nrm n x + nrm n y.
Proof.
  assert (Hx := nrm_nonneg n x). assert (Hy := nrm_nonneg n y).
  apply le_of_sqr; [lra|]. rewrite nrm_sqr.
  replace (dot n (vadd x y) (vadd x y)) with (dot n x x + dot n y y + 2 * dot n x y).
  2:{ unfold dot, vadd. rewrite <- sum_scal, <- !sum_plus. apply sum_ext; intros; ring. }
  rewrite <- !nrm_sqr. assert (H := cauchy_schwarz n x y).
  assert (H' := Rle_abs (dot n x y)). lra.
Qed.

(** ** The Frobenius norm *)

Lemma fro_nonneg m n A : 0 <= fro m n A.
Proof. apply sqrt_pos. Qed.

(** ‖A‖_F is the Euclidean norm of the vector of column norms. *)
Lemma fro_columns m n A : fro m n A = nrm n (fun j => nrm m (col A j)).
Proof.
  unfold fro, nrm at 1. f_equal. apply sum_ext; intros. symmetry. apply nrm_sqr.
Qed.

Lemma dotF_self_nonneg m n A : 0 <= dotF m n A A.
Proof. apply sum_nonneg; intros. apply dot_self_nonneg. Qed.

Lemma fro_sqr m n A : fro m n A * fro m n A = dotF m n A A.
Proof. apply sqrt_sqrt, dotF_self_nonneg. Qed.

Lemma fro_ext m n A B :
  (forall i j, (i < m)%nat -> (j < n)%nat -> A i j = B i j) -> fro m n A = fro m n B.
Proof.
  intros H. rewrite !fro_columns.
  apply nrm_ext; intros. apply nrm_ext; intros. apply H; auto.
Qed.

Lemma fro_tr m n A : fro n m (tr A) = fro m n A.
Proof. unfold fro, dotF, dot, col, tr. f_equal. apply sum_swap. Qed.

Lemma fro_scal m n c A : fro m n (mscal c A) = Rabs c * fro m n A.
Proof.
  rewrite !fro_columns, <- (Rabs_Rabsolu c), <- nrm_scal.
  apply nrm_ext; intros. exact (nrm_scal m c (col A i)).
Qed.

Lemma fro_zero m n A :
  (forall i j, (i < m)%nat -> (j < n)%nat -> A i j = 0) -> fro m n A = 0.
Proof.
  intros H. rewrite fro_columns.
  apply nrm_zero; intros. apply nrm_zero; intros. apply H; auto.
Qed.

Lemma fro_triangle m n A B : fro m n (madd A B) <= fro m n A + fro m n B.
Proof.
  rewrite !fro_columns. eapply Rle_trans; [|apply triangle].
  rewrite <- (Rmult_1_l (nrm n (vadd _ _))). apply nrm_le_scal; [lra|]; intros j Hj.
  unfold vadd. assert (Ha := nrm_nonneg m (col A j)). assert (Hb := nrm_nonneg m (col B j)).
  rewrite !Rabs_right by (try apply Rle_ge, nrm_nonneg; lra). rewrite Rmult_1_l.
  exact (triangle m (col A j) (col B j)).
Qed.

Lemma cauchy_schwarz_fro m n A B : Rabs (dotF m n A B) <= fro m n A * fro m n B.
Proof.
  set (a := fun j => nrm m (col A j)). set (b := fun j => nrm m (col B j)).
  apply Rle_trans with (dot n a b).
  - unfold dotF.
    assert (H : forall j, - (a j * b j) <= dot m (col A j) (col B j) <= a j * b j).
    { intros j. assert (H := cauchy_schwarz m (col A j) (col B j)). fold (a j) (b j) in H.
      assert (H1 := Rle_abs (dot m (col A j) (col B j))).
      assert (H2 := Rle_abs (- dot m (col A j) (col B j))). rewrite Rabs_Ropp in H2. lra. }
    apply Rabs_le. split; [|apply sum_le; intros; apply H].
    replace (- dot n a b) with (sum n (fun j => (-1) * (a j * b j)))
      by (rewrite sum_scal; unfold dot; ring).
    apply sum_le; intros j _. destruct (H j). lra.
  - rewrite !fro_columns. fold a b. eapply Rle_trans; [apply Rle_abs|apply cauchy_schwarz].
Qed.

Lemma dotF_plus_r m n A B C : dotF m n A (madd B C) = dotF m n A B + dotF m n A C.
Proof.
  unfold dotF, dot, col, madd. rewrite <- sum_plus. apply sum_ext; intros.
  rewrite <- sum_plus. apply sum_ext; intros; ring.
Qed.

Lemma dotF_scal_r m n c A B : dotF m n A (mscal c B) = c * dotF m n A B.
Proof.
  unfold dotF, dot, col, mscal. rewrite <- sum_scal. apply sum_ext; intros.
  rewrite <- sum_scal. apply sum_ext; intros; ring.
Qed.

Lemma dotF_sym m n A B : dotF m n A B = dotF m n B A.
Proof. unfold dotF, dot. apply sum_ext; intros. apply sum_ext; intros; ring. Qed.

Lemma fro_madd_sqr m n A B :
  fro m n (madd A B) * fro m n (madd A B)
  = fro m n A * fro m n A + 2 * dotF m n A B + fro m n B * fro m n B.
Proof.
  rewrite !fro_sqr, dotF_plus_r, !(dotF_sym m n (madd A B)), !dotF_plus_r.
  rewrite (dotF_sym m n B A). ring.
Qed.

(** ** Products *)

Lemma mv_msub n A B x i : mv n (msub A B) x i = mv n A x i - mv n B x i.
Proof. unfold mv, msub. rewrite <- sum_minus. apply sum_ext; intros; ring. Qed.

Lemma mv_vsub n A x y i : mv n A (vsub x y) i = mv n A x i - mv n A y i.
Proof. unfold mv, vsub. rewrite <- sum_minus. apply sum_ext; intros; ring. Qed.

Lemma mv_scal n A c x i : mv n A (fun j => c * x j) i = c * mv n A x i.
Proof. unfold mv. rewrite <- sum_scal. apply sum_ext; intros; ring. Qed.

(** ⟨A x, y⟩ = ⟨x, Aᵀ y⟩ *)
Lemma dot_mv m n A x y : dot m (mv n A x) y = dot n x (mv m (tr A) y).
Proof.
  unfold dot, mv, tr.
  rewrite (sum_ext m _ (fun i => sum n (fun j => A i j * x j * y i))).
  2:{ intros. rewrite Rmult_comm, <- sum_scal. apply sum_ext; intros; ring. }
  rewrite sum_swap. apply sum_ext; intros. rewrite <- sum_scal. apply sum_ext; intros; ring.
Qed.

Lemma mv_idm n x i : (i < n)%nat -> mv n idm x i = x i.
Proof.
  intros Hi. unfold mv. rewrite (sum_single n i); auto.
  - unfold idm. rewrite Nat.eqb_refl; ring.
  - intros j _ Hne. unfold idm. destruct (Nat.eqb_spec i j); [lia|ring].
Qed.

(** A times the j-th unit vector is the j-th column of A. *)
Lemma mv_unit n A j i : (j < n)%nat -> mv n A (col idm j) i = A i j.
Proof.
  intros Hj. unfold mv, col, idm. rewrite (sum_single n j); auto.
  - rewrite Nat.eqb_refl; ring.
  - intros k _ Hne. destruct (Nat.eqb_spec k j); [lia|ring].
Qed.

Lemma nrm_unit n j : (j < n)%nat -> nrm n (col idm j) = 1.
Proof.
  intros Hj. unfold nrm, dot, col, idm. rewrite (sum_single n j); auto.
  - rewrite Nat.eqb_refl, Rmult_1_l. apply sqrt_1.
  - intros k _ Hne. destruct (Nat.eqb_spec k j); [lia|ring].
Qed.

Lemma nrm_1 v : nrm 1 v = Rabs (v 0%nat).
Proof. unfold nrm, dot; simpl. rewrite Rplus_0_l. exact (sqrt_Rsqr_abs _). Qed.

Lemma fro_1_1 A : fro 1 1 A = Rabs (A 0%nat 0%nat).
Proof. unfold fro, dotF, dot, col; simpl. rewrite !Rplus_0_l. exact (sqrt_Rsqr_abs _). Qed.

Lemma mm_ext n A A' B B' i j :
  (forall k, (k < n)%nat -> A i k = A' i k) -> (forall k, (k < n)%nat -> B k j = B' k j) ->
  mm n A B i j = mm n A' B' i j.
Proof. intros HA HB. apply sum_ext; intros. rewrite HA, HB; auto. Qed.

Lemma mm_assoc m n A B C i j : mm n (mm m A B) C i j = mm m A (mm n B C) i j.
Proof.
  unfold mm.
  rewrite (sum_ext n _ (fun k => sum m (fun l => A i l * B l k * C k j))).
  2:{ intros. rewrite Rmult_comm, <- sum_scal. apply sum_ext; intros; ring. }
  rewrite sum_swap. apply sum_ext; intros. rewrite <- sum_scal. apply sum_ext; intros; ring.
Qed.

Lemma mm_idm_l n A i j : (i < n)%nat -> mm n idm A i j = A i j.
Proof. exact (mv_idm n (col A j) i). Qed.

Lemma mm_idm_r n A i j : (j < n)%nat -> mm n A idm i j = A i j.
Proof. exact (mv_unit n A j i). Qed.
