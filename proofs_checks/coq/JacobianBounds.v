(** * Relative change of the Jacobian: widths a valley

    J_l = ∂f/∂h_l = Φ'_L W_L ··· Φ'_{l+1} W_{l+1}, widths w l, ..., w L positive and a valley
    (never rising, then never falling), s_min(W_k) > 0 for k > l:

    spectral.jacobian   ‖J̃_l−J_l‖_F/‖J_l‖_F <= Π κ(W_k) · [Π (β_k/α_k)(1+ρ_k) − 1]
    kappa.jacobian      ‖J̃_l−J_l‖_F/‖J_l‖_F <= κ^{2(L−l)} · [Π (β_k/α_k)(1+δ_k) − 1]
    theorem1.jacobian   ‖J̃_l−J_l‖_F/‖J_l‖_F <= Π (β_k/α_k) · κ^{2(L−l)} · [Π (β_k/α_k)(1+δ_k) − 1]

    all products over k = l+1, ..., L; the last two for κ(W_k), κ(ΔW_k) <= κ.

    Correspondence: J_l = [jac w G W l n] with n = L − l.  G k i is any slope with
    α_k <= σ_k G k i <= β_k, σ_k = ±1 the same for both networks and all entries of a layer.  If φ_k
    transmits [α_k, β_k], the derivatives φ_k'(z) have this property (Transmission.v), the product is then the derivative
    of the network (Proposition 1, Network.v), and where φ has a kink any slope in between may
    be taken.  J_l ≠ 0 is not assumed but proved ([jacobian_pos]).

    Proof: start from the identity at the valley's floor p; multiply rising layers on the left and
    falling ones on the right.  Neither can shrink a Frobenius norm by more than α s_min. *)

From Coq Require Import Reals Lra Lia.
From DRT Require Import Sums Norms Conditioning Transmission Recursion Network.
Open Scope R_scope.

(** ** Frobenius norms of products *)

Lemma fro_mm_le m k n A B : fro m n (mm k A B) <= opnorm m k A * fro k n B.
Proof.
  rewrite !fro_columns. apply nrm_le_scal; [apply opnorm_nonneg|]; intros j _.
  rewrite !Rabs_right by apply Rle_ge, nrm_nonneg. exact (mv_le_opnorm m k A (col B j)).
Qed.

Lemma fro_mm_ge m k n A B :
  (k <= m)%nat -> smin m k A * fro k n B <= fro m n (mm k A B).
Proof.
  intros Hk. rewrite !fro_columns. apply nrm_ge_scal; [apply smin_nonneg|]; intros j _.
  rewrite !Rabs_right by apply Rle_ge, nrm_nonneg. exact (smin_le_mv m k A (col B j) Hk).
Qed.

(** The same for multiplication on the right, by transposition. *)
Lemma fro_mm_tr m k n A B : fro m n (mm k A B) = fro n m (mm k (tr B) (tr A)).
Proof.
  rewrite <- fro_tr. apply fro_ext; intros. unfold tr, mm. apply sum_ext; intros; ring.
Qed.

Lemma fro_mm_le_r m k n A B : fro m n (mm k A B) <= opnorm k n B * fro m k A.
Proof. rewrite fro_mm_tr, <- opnorm_tr, <- (fro_tr m k A). apply fro_mm_le. Qed.

Lemma fro_mm_ge_r m k n A B :
  (k <= n)%nat -> smin k n B * fro m k A <= fro m n (mm k A B).
Proof.
  intros Hk. rewrite fro_mm_tr, <- (fro_tr m k A), !fro_columns.
  apply nrm_ge_scal; [apply smin_nonneg|]; intros j _.
  rewrite !Rabs_right by apply Rle_ge, nrm_nonneg.
  exact (smin_le_mv_tr k n B (col (tr A) j) Hk).
Qed.

(** ** Diagonal matrices of slopes, on the left and (by transposition) on the right *)

Definition gd (M : mat) (g : vec) : mat := fun i j => M i j * g j.   (* M diag(g) *)

Lemma fro_dg_le m n c g M :
  0 <= c -> (forall i u, (i < m)%nat -> Rabs (g i * u) <= c * Rabs u) ->
  fro m n (dg g M) <= c * fro m n M.
Proof.
  intros Hc H. rewrite !fro_columns. apply nrm_le_scal; [exact Hc|]; intros j _.
  rewrite !Rabs_right by apply Rle_ge, nrm_nonneg. apply nrm_le_scal; [exact Hc|]; intros i Hi.
  apply H, Hi.
Qed.

Lemma fro_dg_ge m n c g M :
  0 <= c -> (forall i u, (i < m)%nat -> c * Rabs u <= Rabs (g i * u)) ->
  c * fro m n M <= fro m n (dg g M).
Proof.
  intros Hc H. rewrite !fro_columns. apply nrm_ge_scal; [exact Hc|]; intros j _.
  rewrite !Rabs_right by apply Rle_ge, nrm_nonneg. apply nrm_ge_scal; [exact Hc|]; intros i Hi.
  apply H, Hi.
Qed.

Lemma fro_gd m n M g : fro m n (gd M g) = fro n m (dg g (tr M)).
Proof. rewrite <- fro_tr. apply fro_ext; intros. unfold tr, gd, dg. ring. Qed.

Lemma fro_gd_le m n c g M :
  0 <= c -> (forall i u, (i < n)%nat -> Rabs (g i * u) <= c * Rabs u) ->
  fro m n (gd M g) <= c * fro m n M.
Proof. intros. rewrite fro_gd, <- (fro_tr m n M). apply fro_dg_le; assumption. Qed.

Lemma fro_gd_ge m n c g M :
  0 <= c -> (forall i u, (i < n)%nat -> c * Rabs u <= Rabs (g i * u)) ->
  c * fro m n M <= fro m n (gd M g).
Proof. intros. rewrite fro_gd, <- (fro_tr m n M). apply fro_dg_ge; assumption. Qed.

(** diag(g) (A B) and (A diag(g)) B, in the shapes that [jac] produces. *)
Lemma mm_dg_l n g A B i j : mm n (dg g A) B i j = dg g (mm n A B) i j.
Proof. unfold mm, dg. rewrite <- sum_scal. apply sum_ext; intros; ring. Qed.

Lemma mm_dg_r n g A B i j : mm n A (dg g B) i j = mm n (gd A g) B i j.
Proof. unfold mm, dg, gd. apply sum_ext; intros; ring. Qed.

(** ** One more layer, in numbers

    Both ways of multiplying lead to the same two inequalities, with s = s_min(W_k),
    a = ‖W_k‖₂, e = ‖ΔW_k‖₂:
        size' >= α s size,   err' <= β (a+e) err + (β e + (β−α) a) size. *)

Definition layer_step al be s a e size size' err err' : Prop :=
  al * (s * size) <= size' /\
  err' <= be * (a + e) * err + (be * e + (be - al) * a) * size.

Section Step.

Variables (al be sg : R).
Hypothesis Hal : 0 < al.
Hypothesis Hab : al <= be.
Hypothesis Hsg : is_sign sg.

(** Ã M̃ − A M = Φ̃'(W̃ (M̃−M)) + Φ̃'(ΔW M) + (Φ̃'−Φ')(W M),  W : m × k rising, M : k × n *)
Lemma rising_step m k n g gt W Wt M Mt :
  (k <= m)%nat ->
  (forall i, (i < m)%nat -> slope al be sg (g i)) ->
  (forall i, (i < m)%nat -> slope al be sg (gt i)) ->
  layer_step al be (smin m k W) (opnorm m k W) (opnorm m k (msub Wt W))
    (fro k n M) (fro m n (mm k (dg g W) M))
    (fro k n (msub Mt M)) (fro m n (msub (mm k (dg gt Wt) Mt) (mm k (dg g W) M))).
Proof.
  intros Hk Hg Hgt. split.
  - rewrite (fro_ext m n (mm k (dg g W) M) (dg g (mm k W M))) by (intros; apply mm_dg_l).
    apply Rle_trans with (al * fro m n (mm k W M)).
    + apply Rmult_le_compat_l; [lra|apply fro_mm_ge, Hk].
    + apply fro_dg_ge; [lra|]; intros. apply slope_ge with be sg; auto.
  - rewrite (fro_ext m n _ (madd (madd (dg gt (mm k Wt (msub Mt M))) (dg gt (mm k (msub Wt W) M)))
                                 (dg (vsub gt g) (mm k W M)))).
    2:{ intros i j _ _. unfold msub at 1, madd. rewrite !mm_dg_l. unfold dg, vsub, mm, msub.
        rewrite (sum_ext k (fun j0 => Wt i j0 * (Mt j0 j - M j0 j))
                   (fun j0 => Wt i j0 * Mt j0 j - Wt i j0 * M j0 j)) by (intros; ring).
        rewrite (sum_ext k (fun j0 => (Wt i j0 - W i j0) * M j0 j)
                   (fun j0 => Wt i j0 * M j0 j - W i j0 * M j0 j)) by (intros; ring).
        rewrite !sum_minus. ring. }
    assert (N1 : fro m n (dg gt (mm k Wt (msub Mt M)))
                 <= be * ((opnorm m k W + opnorm m k (msub Wt W)) * fro k n (msub Mt M))).
    { eapply Rle_trans; [apply (fro_dg_le m n be); [lra|]|].
      - intros; apply slope_le with al sg; auto; lra.
      - apply Rmult_le_compat_l; [lra|]. eapply Rle_trans; [apply fro_mm_le|].
        apply Rmult_le_compat_r; [apply fro_nonneg|apply opnorm_triangle]. }
    assert (N2 : fro m n (dg gt (mm k (msub Wt W) M)) <= be * (opnorm m k (msub Wt W) * fro k n M)).
    { eapply Rle_trans; [apply (fro_dg_le m n be); [lra|]|].
      - intros; apply slope_le with al sg; auto; lra.
      - apply Rmult_le_compat_l; [lra|apply fro_mm_le]. }
    assert (N3 : fro m n (dg (vsub gt g) (mm k W M)) <= (be - al) * (opnorm m k W * fro k n M)).
    { eapply Rle_trans; [apply (fro_dg_le m n (be - al)); [lra|]|].
      - intros; apply slope_diff with sg; auto.
      - apply Rmult_le_compat_l; [lra|apply fro_mm_le]. }
    eapply Rle_trans; [apply fro_triangle|].
    assert (T := fro_triangle m n (dg gt (mm k Wt (msub Mt M))) (dg gt (mm k (msub Wt W) M))).
    lra.
Qed.

(** M̃ Ã − M A = (M̃−M) Φ̃' W̃ + M Φ̃' ΔW + M (Φ̃'−Φ') W,  W : k × n falling, M : m × k *)
Lemma falling_step m k n g gt W Wt M Mt :
  (k <= n)%nat ->
  (forall i, (i < k)%nat -> slope al be sg (g i)) ->
  (forall i, (i < k)%nat -> slope al be sg (gt i)) ->
  layer_step al be (smin k n W) (opnorm k n W) (opnorm k n (msub Wt W))
    (fro m k M) (fro m n (mm k M (dg g W)))
    (fro m k (msub Mt M)) (fro m n (msub (mm k Mt (dg gt Wt)) (mm k M (dg g W)))).
Proof.
  intros Hk Hg Hgt. assert (Hs := smin_nonneg k n W). split.
  - rewrite (fro_ext m n (mm k M (dg g W)) (mm k (gd M g) W)) by (intros; apply mm_dg_r).
    apply Rle_trans with (smin k n W * fro m k (gd M g)); [|apply fro_mm_ge_r, Hk].
    rewrite <- Rmult_assoc, (Rmult_comm al), Rmult_assoc. apply Rmult_le_compat_l; [exact Hs|].
    apply fro_gd_ge; [lra|]; intros. apply slope_ge with be sg; auto.
  - rewrite (fro_ext m n _ (madd (madd (mm k (gd (msub Mt M) gt) Wt) (mm k (gd M gt) (msub Wt W)))
                                 (mm k (gd M (vsub gt g)) W))).
    2:{ intros i j _ _. unfold msub at 1, madd. rewrite !mm_dg_r.
        unfold mm. rewrite <- sum_minus, <- !sum_plus.
        apply sum_ext; intros. unfold gd, vsub, msub. ring. }
    assert (N1 : fro m n (mm k (gd (msub Mt M) gt) Wt)
                 <= (opnorm k n W + opnorm k n (msub Wt W)) * (be * fro m k (msub Mt M))).
    { eapply Rle_trans; [apply fro_mm_le_r|].
      apply Rmult_le_compat; [apply opnorm_nonneg|apply fro_nonneg|apply opnorm_triangle|].
      apply fro_gd_le; [lra|]; intros; apply slope_le with al sg; auto; lra. }
    assert (N2 : fro m n (mm k (gd M gt) (msub Wt W)) <= opnorm k n (msub Wt W) * (be * fro m k M)).
    { eapply Rle_trans; [apply fro_mm_le_r|].
      apply Rmult_le_compat_l; [apply opnorm_nonneg|].
      apply fro_gd_le; [lra|]; intros; apply slope_le with al sg; auto; lra. }
    assert (N3 : fro m n (mm k (gd M (vsub gt g)) W) <= opnorm k n W * ((be - al) * fro m k M)).
    { eapply Rle_trans; [apply fro_mm_le_r|].
      apply Rmult_le_compat_l; [apply opnorm_nonneg|].
      apply fro_gd_le; [lra|]; intros; apply slope_diff with sg; auto. }
    eapply Rle_trans; [apply fro_triangle|].
    assert (T := fro_triangle m n (mm k (gd (msub Mt M) gt) Wt) (mm k (gd M gt) (msub Wt W))).
    lra.
Qed.

(** The two inequalities, put into the form of the recursion with D = (β/α)(1 + d). *)
Lemma layer_step_recursion s a e c d size size' err err' :
  0 < s -> 1 <= c -> 0 <= d -> a <= c * s -> e <= c * d * s -> 0 <= size -> 0 <= err ->
  layer_step al be s a e size size' err err' ->
  let D := be / al * (1 + d) in
  al * s * size <= size' /\ err' <= c * (al * s) * (D * err + (D - 1) * size).
Proof.
  intros Hs Hc Hd Ha He Hsize Herr [H1 H2] D. split; [lra|].
  eapply Rle_trans; [exact H2|].
  replace (c * (al * s) * (D * err + (D - 1) * size))
    with (be * (c * s + c * d * s) * err + (be * (c * d * s) + (be - al) * (c * s)) * size)
    by (unfold D; field; lra).
  apply Rplus_le_compat; apply Rmult_le_compat_r; try assumption.
  - apply Rmult_le_compat_l; lra.
  - apply Rplus_le_compat; apply Rmult_le_compat_l; lra.
Qed.

(** D >= 1 *)
Lemma amplification_ge1 d : 0 <= d -> 1 <= be / al * (1 + d).
Proof.
  intros Hd. replace 1 with (1 * 1) by ring. apply Rmult_le_compat; try lra.
  apply Rmult_le_reg_r with al; [exact Hal|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l; lra.
Qed.

End Step.

(** ** One layer

    A single layer needs no condition number and no condition on the widths:
        ‖Φ̃'W̃ − Φ'W‖_F / ‖Φ'W‖_F <= (β/α)(1+δ) − 1. *)
Theorem one_layer_jacobian al be sg m n g gt W Wt :
  0 < al -> al <= be -> is_sign sg ->
  (forall i, (i < m)%nat -> slope al be sg (g i)) ->
  (forall i, (i < m)%nat -> slope al be sg (gt i)) ->
  0 < fro m n W ->
  fro m n (msub (dg gt Wt) (dg g W)) / fro m n (dg g W)
  <= be / al * (1 + delta m n W (msub Wt W)) - 1.
Proof.
  intros Hal Hab Hsg Hg Hgt HW.
  assert (Hlow : al * fro m n W <= fro m n (dg g W)).
  { apply fro_dg_ge; [lra|]; intros. apply slope_ge with be sg; auto. }
  assert (Hpos : 0 < al * fro m n W) by (apply Rmult_lt_0_compat; assumption).
  apply quotient_le; [lra|].
  assert (Hd : 0 <= delta m n W (msub Wt W)) by (apply quotient_nonneg; [apply fro_nonneg|lra]).
  assert (HD := amplification_ge1 al be Hal Hab _ Hd).
  eapply Rle_trans; [|apply Rmult_le_compat_l; [lra|exact Hlow]].
  rewrite (fro_ext m n _ (madd (dg gt (msub Wt W)) (dg (vsub gt g) W)))
    by (intros; unfold msub, madd, dg, vsub; ring).
  eapply Rle_trans; [apply fro_triangle|].
  assert (N1 : fro m n (dg gt (msub Wt W)) <= be * fro m n (msub Wt W)).
  { apply fro_dg_le; [lra|]; intros; apply slope_le with al sg; auto; lra. }
  assert (N2 : fro m n (dg (vsub gt g) W) <= (be - al) * fro m n W).
  { apply fro_dg_le; [lra|]; intros; apply slope_diff with sg; auto. }
  replace ((be / al * (1 + delta m n W (msub Wt W)) - 1) * (al * fro m n W))
    with (be * fro m n (msub Wt W) + (be - al) * fro m n W) by (unfold delta; field; lra).
  lra.
Qed.

(** ** Any depth *)

Section Jacobian.

Variables (al be sg : nat -> R) (w : nat -> nat) (l n : nat).
Variables (W Wt : nat -> mat) (G Gt : nat -> vec).
Hypothesis Hal : forall k, (l <= k < l + n)%nat -> 0 < al k.
Hypothesis Hab : forall k, (l <= k < l + n)%nat -> al k <= be k.
Hypothesis Hsg : forall k, (l <= k < l + n)%nat -> is_sign (sg k).
Hypothesis Hw : forall k, (l <= k <= l + n)%nat -> (0 < w k)%nat.
Hypothesis Hvalley : valley w l (l + n).
Hypothesis Hs : forall k, (l <= k < l + n)%nat -> 0 < smin (w (S k)) (w k) (W k).
Hypothesis HG : forall k i, (l <= k < l + n)%nat -> (i < w (S k))%nat ->
  slope (al k) (be k) (sg k) (G k i).
Hypothesis HGt : forall k i, (l <= k < l + n)%nat -> (i < w (S k))%nat ->
  slope (al k) (be k) (sg k) (Gt k i).

(** Both Jacobians, from layer lo on, k layers. *)
Let size lo k := fro (w (lo + k)%nat) (w lo) (jac w G W lo k).
Let err lo k := fro (w (lo + k)%nat) (w lo) (msub (jac w Gt Wt lo k) (jac w G W lo k)).

Let step lo k lo' k' q :=
  layer_step (al q) (be q) (smin (w (S q)) (w q) (W q)) (opnorm (w (S q)) (w q) (W q))
    (opnorm (w (S q)) (w q) (change W Wt q)) (size lo k) (size lo' k') (err lo k) (err lo' k').

Lemma add_rising lo k :
  (l <= lo)%nat -> (lo + k < l + n)%nat -> (w (lo + k) <= w (S (lo + k)))%nat ->
  step lo k lo (S k) (lo + k).
Proof.
  intros Hlo Hk Hrise. unfold step, size, err. rewrite Nat.add_succ_r. simpl jac.
  assert (Hq : (l <= lo + k < l + n)%nat) by lia.
  apply rising_step with (sg (lo + k)%nat); auto.
Qed.

Lemma add_falling lo k :
  (l <= lo)%nat -> (lo + S k <= l + n)%nat -> (w (S lo) <= w lo)%nat ->
  step (S lo) k lo (S k) lo.
Proof.
  intros Hlo Hk Hfall. unfold step, size, err. replace (S lo + k)%nat with (lo + S k)%nat by lia.
  set (m := w (lo + S k)%nat).
  rewrite (fro_ext m (w lo) (jac w G W lo (S k))
             (mm (w (S lo)) (jac w G W (S lo) k) (dg (G lo) (W lo))))
    by (intros; apply jac_cons; auto).
  rewrite (fro_ext m (w lo) (msub (jac w Gt Wt lo (S k)) (jac w G W lo (S k)))
             (msub (mm (w (S lo)) (jac w Gt Wt (S lo) k) (dg (Gt lo) (Wt lo)))
                   (mm (w (S lo)) (jac w G W (S lo) k) (dg (G lo) (W lo)))))
    by (intros; unfold msub; rewrite !jac_cons; auto).
  assert (Hq : (l <= lo < l + n)%nat) by lia.
  apply falling_step with (sg lo); auto.
Qed.

(** J_l ≠ 0 : the identity on the floor is not zero, and no layer shrinks it to zero. *)
Lemma jacobian_pos : 0 < fro (w (l + n)%nat) (w l) (jac w G W l n).
Proof.
  destruct Hvalley as [p [Hp [Hfall Hrise]]].
  assert (Hgrow : forall lo k lo' k' q, (l <= q < l + n)%nat ->
            step lo k lo' k' q -> 0 < size lo k -> 0 < size lo' k').
  { intros lo k lo' k' q Hq [H _] Hsize. eapply Rlt_le_trans; [|exact H].
    apply Rmult_lt_0_compat; [apply Hal, Hq|]. apply Rmult_lt_0_compat; [apply Hs, Hq|exact Hsize]. }
  assert (Hright : forall k, (l + k <= p)%nat -> 0 < size (p - k) k).
  { induction k as [|k IH]; intros Hk.
    - unfold size. rewrite Nat.sub_0_r, Nat.add_0_r. simpl.
      (* the identity has a unit column *)
      assert (Hwp : (0 < w p)%nat) by (apply Hw; lia).
      assert (H : mv (w p) idm (col idm 0) 0%nat = 1) by (apply mv_idm, Hwp).
      assert (Hle := mv_le_fro (w p) (w p) idm (col idm 0)).
      rewrite (nrm_ext (w p) _ (col idm 0)), nrm_unit in Hle
        by (auto; intros; apply mv_idm; auto). lra.
    - apply (Hgrow (S (p - S k)) k _ _ (p - S k)%nat); [lia| |].
      + apply add_falling; try lia. apply Hfall; lia.
      + replace (S (p - S k)) with (p - k)%nat by lia. apply IH; lia. }
  assert (Hleft : forall k, (p + k <= l + n)%nat -> 0 < size l (p - l + k)).
  { induction k as [|k IH]; intros Hk.
    - rewrite Nat.add_0_r. replace l with (p - (p - l))%nat at 1 by lia. apply Hright; lia.
    - rewrite Nat.add_succ_r. apply (Hgrow l (p - l + k)%nat _ _ (l + (p - l + k))%nat); [lia| |].
      + apply add_rising; try lia. apply Hrise; lia.
      + apply IH; lia. }
  assert (H := Hleft (l + n - p)%nat ltac:(lia)). unfold size in H.
  replace (p - l + (l + n - p))%nat with n in H by lia. exact H.
Qed.

Theorem jacobian_bound (c d : nat -> R) :
  (forall k, (l <= k < l + n)%nat ->
     layer_bound (c k) (d k) (w (S k)) (w k) (W k) (change W Wt k)) ->
  fro (w (l + n)%nat) (w l) (msub (jac w Gt Wt l n) (jac w G W l n))
    / fro (w (l + n)%nat) (w l) (jac w G W l n)
  <= prod n (fun k => c (l + k)%nat)
     * (prod n (fun k => be (l + k)%nat / al (l + k)%nat * (1 + d (l + k)%nat)) - 1).
Proof.
  intros Hlayer. apply quotient_le; [exact jacobian_pos|].
  destruct Hvalley as [p [Hp [Hfall Hrise]]].
  set (D := fun k => be k / al k * (1 + d k)).
  set (lo := fun k => al k * smin (w (S k)) (w k) (W k)).
  (* what each layer contributes to the recursion, wherever it is multiplied on *)
  assert (Hnum : forall q, (l <= q < l + n)%nat -> 0 <= lo q /\ 1 <= c q /\ 1 <= D q).
  { intros q Hq. destruct (Hlayer q Hq) as [Hsq [Hc [Hd _]]]. unfold lo, D.
    assert (Ha := Hal q Hq).
    split; [apply Rmult_le_pos; lra|]. split; [exact Hc|]. apply amplification_ge1; auto. }
  assert (Hstep : forall lo1 k1 lo2 k2 q, (l <= q < l + n)%nat -> step lo1 k1 lo2 k2 q ->
            lo q * size lo1 k1 <= size lo2 k2 /\
            err lo2 k2 <= c q * lo q * (D q * err lo1 k1 + (D q - 1) * size lo1 k1)).
  { intros lo1 k1 lo2 k2 q Hq H. destruct (Hlayer q Hq) as [Hsq [Hc [Hd [Ha He]]]].
    apply (layer_step_recursion (al q) (be q) (Hal q Hq) (Hab q Hq) _ _ _ _ _ _ _ _ _ Hsq Hc Hd Ha He);
      [apply fro_nonneg|apply fro_nonneg|exact H]. }
  (* falling layers p−1, p−2, ..., l on the right *)
  set (a := (p - l)%nat).
  assert (Hright := relative_recursion a (fun t => err (p - t) t) (fun t => size (p - t) t)
    (fun t => lo (p - S t)%nat) (fun t => c (p - S t)%nat) (fun t => D (p - S t)%nat) 1 1).
  cbv beta in Hright. rewrite !Rmult_1_l in Hright.
  (* rising layers p, p+1, ..., l+n−1 on the left *)
  set (b := (l + n - p)%nat).
  assert (Hleft := relative_recursion b (fun t => err l (a + t)) (fun t => size l (a + t))
    (fun t => lo (p + t)%nat) (fun t => c (p + t)%nat) (fun t => D (p + t)%nat)
    (prod a (fun t => c (p - S t)%nat)) (prod a (fun t => D (p - S t)%nat))).
  cbv beta in Hleft. rewrite Nat.add_0_r in Hleft.
  (* the products over the layers in their own order *)
  assert (Eprod : forall f, prod a (fun t => f (p - S t)%nat) * prod b (fun t => f (p + t)%nat)
                            = prod n (fun k => f (l + k)%nat)).
  { intros f. replace n with (a + b)%nat by lia. rewrite prod_split. f_equal.
    - rewrite <- prod_rev. apply prod_ext; intros. f_equal; lia.
    - apply prod_ext; intros. f_equal; lia. }
  rewrite !Eprod in Hleft. replace (a + b)%nat with n in Hleft by lia.
  apply Hleft; clear Hleft.
  - apply prod_ge1; intros. apply Hnum; lia.
  - apply prod_ge1; intros. apply Hnum; lia.
  - intros t Ht. apply Hnum; lia.
  - intros; apply fro_nonneg.
  - intros t Ht. rewrite Nat.add_succ_r. apply Hstep; [lia|].
    replace (p + t)%nat with (l + (a + t))%nat by lia. apply add_rising; try lia.
    replace (l + (a + t))%nat with (p + t)%nat by lia. apply Hrise; lia.
  - intros t Ht. rewrite Nat.add_succ_r. apply Hstep; [lia|].
    replace (p + t)%nat with (l + (a + t))%nat by lia. apply add_rising; try lia.
    replace (l + (a + t))%nat with (p + t)%nat by lia. apply Hrise; lia.
  - replace l with (p - a)%nat at 1 2 by lia. apply Hright; clear Hright; try lra.
    + intros t Ht. apply Hnum; lia.
    + intros; apply fro_nonneg.
    + intros t Ht. apply (Hstep (p - t)%nat t); [lia|].
      replace (p - t)%nat with (S (p - S t)) by lia. apply add_falling; try lia.
      apply Hfall; lia.
    + intros t Ht. apply (Hstep (p - t)%nat t); [lia|].
      replace (p - t)%nat with (S (p - S t)) by lia. apply add_falling; try lia.
      apply Hfall; lia.
    + unfold err. rewrite fro_zero; [lra|]. intros; unfold msub; simpl; ring.
Qed.

(** ** spectral.jacobian *)
Theorem spectral_jacobian :
  fro (w (l + n)%nat) (w l) (msub (jac w Gt Wt l n) (jac w G W l n))
    / fro (w (l + n)%nat) (w l) (jac w G W l n)
  <= prod n (fun k => cond (w (S (l + k))) (w (l + k)%nat) (W (l + k)%nat))
     * (prod n (fun k => be (l + k)%nat / al (l + k)%nat
                         * (1 + rho (w (S (l + k))) (w (l + k)%nat) (W (l + k)%nat)
                                            (change W Wt (l + k)))) - 1).
Proof.
  apply (jacobian_bound (fun k => cond (w (S k)) (w k) (W k))
                        (fun k => rho (w (S k)) (w k) (W k) (change W Wt k))).
  intros. apply layer_bound_spectral; auto.
Qed.

(** ** kappa.jacobian and theorem1.jacobian *)

Variable K : R.
Hypothesis HW : forall k, (l <= k < l + n)%nat -> conditioned K (w (S k)) (w k) (W k).
Hypothesis HD : forall k, (l <= k < l + n)%nat -> conditioned K (w (S k)) (w k) (change W Wt k).

Notation delta k := (delta (w (S k)) (w k) (W k) (change W Wt k)).

Lemma kappa_layers k :
  (l <= k < l + n)%nat ->
  layer_bound (K * K) (delta k) (w (S k)) (w k) (W k) (change W Wt k).
Proof. intros Hk. apply layer_bound_kappa_squared; auto; apply Hw; lia. Qed.

Theorem kappa_jacobian :
  fro (w (l + n)%nat) (w l) (msub (jac w Gt Wt l n) (jac w G W l n))
    / fro (w (l + n)%nat) (w l) (jac w G W l n)
  <= K ^ (2 * n)
     * (prod n (fun k => be (l + k)%nat / al (l + k)%nat * (1 + delta (l + k)%nat)) - 1).
Proof.
  assert (H := jacobian_bound (fun _ => K * K) (fun k => delta k) kappa_layers).
  cbv beta in H. rewrite prod_const in H.
  replace (K ^ (2 * n)) with ((K * K) ^ n); [exact H|].
  rewrite pow_mult. f_equal. ring.
Qed.

(** Π (β_k/α_k) >= 1 *)
Theorem theorem1_jacobian :
  fro (w (l + n)%nat) (w l) (msub (jac w Gt Wt l n) (jac w G W l n))
    / fro (w (l + n)%nat) (w l) (jac w G W l n)
  <= prod n (fun k => be (l + k)%nat / al (l + k)%nat) * K ^ (2 * n)
     * (prod n (fun k => be (l + k)%nat / al (l + k)%nat * (1 + delta (l + k)%nat)) - 1).
Proof.
  eapply Rle_trans; [exact kappa_jacobian|].
  assert (Hd : forall k d, (k < n)%nat -> 0 <= d ->
            1 <= be (l + k)%nat / al (l + k)%nat * (1 + d)).
  { intros k d Hk H0. apply amplification_ge1; [apply Hal|apply Hab|exact H0]; lia. }
  assert (HP : 1 <= prod n (fun k => be (l + k)%nat / al (l + k)%nat * (1 + delta (l + k)%nat))).
  { apply prod_ge1; intros k Hk. apply Hd; [exact Hk|]. apply kappa_layers; lia. }
  apply Rmult_le_compat_r; [lra|].
  rewrite <- (Rmult_1_l (K ^ (2 * n))) at 1. apply Rmult_le_compat_r.
  - rewrite pow_mult. apply pow_le. nra.
  - apply prod_ge1; intros k Hk. assert (H := Hd k 0 Hk ltac:(lra)). lra.
Qed.

End Jacobian.
