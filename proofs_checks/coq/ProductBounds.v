(** * Absolute bounds: any widths, ReLU included

    For a perceptron with |φ_l(u)| <= β_l|u| and |φ_l(u)−φ_l(v)| <= β_l|u−v| (that is
    [transmits 0 β_l φ_l]; α = 0 is allowed, and no condition is put on widths or singular values):

    telescoping.function    ‖f̃−f‖ <= Σ_l Π_{k>=l} β_k Π_{k>l} ‖W̃_k‖₂ · ‖ΔW_l h_{l−1}‖
    norm-product.function   ‖f̃−f‖ <= Π (β_k ‖W_k‖₂) ‖x‖ · [Π (1+ρ_k) − 1]
    neyshabur.function      ‖f̃−f‖ <= e ‖x‖ Π ‖W_k‖₂ Σ ρ_k      if every β_k <= 1 and every ρ_k <= 1/L

    Correspondence: the sum runs over l = 0, ..., L−1 with [W l] the paper's W_{l+1}, so that
    the β_k with k >= l become the L − l factors [be (l + i)] and k > l becomes the L − l − 1 indices [S l + i].
    ρ_k = ‖ΔW_k‖₂/‖W_k‖₂ needs ‖W_k‖₂ > 0, which is assumed in the last two.
    A function that transmits [α, β] for some α >= 0 also transmits [0, β], and [0, 1] if β <= 1. *)

From Coq Require Import Reals Lra Lia.
From DRT Require Import Sums Norms Conditioning Transmission Recursion Network FunctionBounds.
Open Scope R_scope.

Section Absolute.

Variables (phi : nat -> R -> R) (be : nat -> R) (w : nat -> nat) (L : nat) (W Wt : nat -> mat) (x : vec).
Hypothesis Hphi : forall k, (k < L)%nat -> transmits 0 (be k) (phi k).

Lemma constant k : (k < L)%nat -> 0 <= be k.
Proof. intros Hk. apply (transmits_le 0 (be k) (phi k)), Hphi, Hk. Qed.

Notation h k := (net phi w W x 0 k).
Notation ht k := (net phi w Wt x 0 k).
Notation normW k := (opnorm (w (S k)) (w k) (W k)).
Notation normWt k := (opnorm (w (S k)) (w k) (Wt k)).

Theorem telescoping_function :
  nrm (w L) (vsub (ht L) (h L))
  <= sum L (fun l => prod (L - l) (fun i => be (l + i)%nat) * prod (L - S l) (fun i => normWt (S l + i)%nat)
                     * nrm (w (S l)) (mv (w l) (change W Wt l) (h l))).
Proof.
  induction L as [|n IH].
  - rewrite nrm_zero; [simpl; lra|]. intros; unfold vsub; simpl; ring.
  - assert (Hbe : 0 <= be n) by (apply (transmits_le 0 (be n) (phi n)), Hphi; lia).
    simpl net. eapply Rle_trans; [apply (layer_error 0 (be n)); [exact Hbe|apply Hphi; lia]|].
    change (sum (S n) ?f) with (sum n f + f n). cbv beta.
    replace (S n - n)%nat with 1%nat by lia. rewrite Nat.sub_diag.
    change (prod 0 ?f) with 1. change (prod 1 ?f) with (1 * f 0%nat). cbv beta.
    rewrite Nat.add_0_r, Rmult_plus_distr_l. fold (change W Wt n).
    apply Rplus_le_compat; [|rewrite Rmult_1_l, Rmult_1_r; lra].
    eapply Rle_trans.
    { apply Rmult_le_compat_l; [exact Hbe|].
      apply Rmult_le_compat_l; [apply opnorm_nonneg|apply IH; intros; apply Hphi; lia]. }
    rewrite <- Rmult_assoc, <- sum_scal. right. apply sum_ext; intros l Hl.
    replace (S n - l)%nat with (S (n - l)) by lia.
    replace (S n - S l)%nat with (S (n - S l)) by lia.
    change (prod (S ?m) ?f) with (prod m f * f m). cbv beta.
    replace (S l + (n - S l))%nat with n by lia. replace (l + (n - l))%nat with n by lia. ring.
Qed.

Hypothesis HW : forall k, (k < L)%nat -> 0 < normW k.

Notation rho k := (rho (w (S k)) (w k) (W k) (change W Wt k)).

Lemma rho_nonneg k : (k < L)%nat -> 0 <= rho k.
Proof. intros Hk. apply quotient_nonneg; [apply opnorm_nonneg|apply HW, Hk]. Qed.

(** The recursion with size_k the *upper* bound Π (β_j ‖W_j‖) ‖x‖ of ‖h_k‖. *)
Theorem norm_product_function :
  nrm (w L) (vsub (ht L) (h L))
  <= prod L (fun k => be k * normW k) * nrm (w 0%nat) x * (prod L (fun k => 1 + rho k) - 1).
Proof.
  set (size := fun k => prod k (fun j => be j * normW j) * nrm (w 0%nat) x).
  assert (Hsize : forall k, (k <= L)%nat -> nrm (w k) (h k) <= size k).
  { unfold size. induction k as [|k IH]; intros Hk; simpl; [lra|].
    assert (Hbe := constant k ltac:(lia)).
    eapply Rle_trans; [apply (vphi_le 0 (be k)); [exact Hbe|apply Hphi; lia]|].
    eapply Rle_trans; [apply Rmult_le_compat_l; [exact Hbe|apply mv_le_opnorm]|].
    assert (Hnorm := opnorm_nonneg (w (S k)) (w k) (W k)).
    assert (H := Rmult_le_compat_l _ _ _ (Rmult_le_pos _ _ Hbe Hnorm) (IH ltac:(lia))).
    simpl in H. lra. }
  assert (H := relative_recursion L
    (fun k => nrm (w k) (vsub (ht k) (h k))) size
    (fun k => be k * normW k) (fun _ => 1) (fun k => 1 + rho k) 1 1).
  cbv beta in H. rewrite prod_const, pow1, !Rmult_1_l in H.
  change (prod L (fun k => be k * normW k) * nrm (w 0%nat) x) with (size L).
  rewrite Rmult_comm. apply H; clear H; try lra.
  - intros k Hk. assert (Hr := rho_nonneg k Hk). assert (HWk := HW k Hk).
    assert (Hbe := constant k Hk). split; [apply Rmult_le_pos; lra|lra].
  - intros k Hk. eapply Rle_trans; [apply nrm_nonneg|apply Hsize; lia].
  - intros k Hk. right. unfold size. simpl. ring.
  - intros k Hk. assert (Hbe := constant k Hk). simpl net.
    eapply Rle_trans; [apply (layer_error_opnorm 0 (be k)); [exact Hbe|apply Hphi, Hk]|].
    fold (change W Wt k). assert (HWk := HW k Hk).
    replace (opnorm (w (S k)) (w k) (change W Wt k)) with (rho k * normW k)
      by (unfold Conditioning.rho; field; lra).
    replace (1 * (be k * normW k)
             * ((1 + rho k) * nrm (w k) (vsub (ht k) (h k)) + (1 + rho k - 1) * size k))
      with (be k * ((normW k + rho k * normW k) * nrm (w k) (vsub (ht k) (h k))
                  + rho k * normW k * size k)) by ring.
    apply Rmult_le_compat_l; [exact Hbe|]. apply Rplus_le_compat_l.
    apply Rmult_le_compat_l; [|apply Hsize; lia].
    apply Rmult_le_pos; [apply rho_nonneg, Hk|lra].
  - rewrite nrm_zero; [lra|]. intros; unfold vsub; simpl; ring.
Qed.

End Absolute.

(** e^s − 1 <= e s on [0, 1], from e^{−s} >= 1 − s. *)
Lemma exp_minus_1_le s : 0 <= s <= 1 -> exp s - 1 <= exp 1 * s.
Proof.
  intros [H0 H1].
  assert (Hneg : 1 - s <= exp (- s)).
  { destruct (Req_dec s 0) as [->|Hs]; [rewrite Ropp_0, exp_0; lra|].
    assert (H := exp_ineq1 (- s)). lra. }
  assert (Hinv : exp s * exp (- s) = 1) by (rewrite <- exp_plus, Rplus_opp_r; apply exp_0).
  assert (Hpos := exp_pos s).
  assert (Hexp : exp s <= exp 1) by (destruct H1 as [H1| ->]; [apply Rlt_le, exp_increasing|]; lra).
  nra.
Qed.

Theorem neyshabur_function phi w L W Wt x :
  (forall k, (k < L)%nat -> transmits 0 1 (phi k)) ->
  (forall k, (k < L)%nat -> 0 < opnorm (w (S k)) (w k) (W k)) ->
  (forall k, (k < L)%nat -> rho (w (S k)) (w k) (W k) (change W Wt k) <= / INR L) ->
  nrm (w L) (vsub (net phi w Wt x 0 L) (net phi w W x 0 L))
  <= exp 1 * nrm (w 0%nat) x * prod L (fun k => opnorm (w (S k)) (w k) (W k))
     * sum L (fun k => rho (w (S k)) (w k) (W k) (change W Wt k)).
Proof.
  intros Hphi HW Hrho.
  set (r := fun k => rho (w (S k)) (w k) (W k) (change W Wt k)) in *.
  assert (Hr : forall k, (k < L)%nat -> 0 <= r k) by (intros; apply (rho_nonneg w L W Wt HW); auto).
  eapply Rle_trans; [apply (norm_product_function phi (fun _ => 1) w L W Wt x); assumption|].
  fold r. rewrite (prod_ext L (fun k => 1 * _) (fun k => opnorm (w (S k)) (w k) (W k)))
    by (intros; apply Rmult_1_l).
  assert (Hprod : 0 <= prod L (fun k => opnorm (w (S k)) (w k) (W k)) * nrm (w 0%nat) x).
  { apply Rmult_le_pos; [apply prod_nonneg; intros; apply opnorm_nonneg|apply nrm_nonneg]. }
  assert (Hsum : 0 <= sum L r <= 1).
  { split; [apply sum_nonneg, Hr|]. destruct (Nat.eq_dec L 0) as [->|HL]; [simpl; lra|].
    replace 1 with (sum L (fun _ => / INR L)); [apply sum_le, Hrho|].
    rewrite sum_const. apply Rinv_r, not_0_INR, HL. }
  apply Rle_trans with (prod L (fun k => opnorm (w (S k)) (w k) (W k)) * nrm (w 0%nat) x
                        * (exp 1 * sum L r)).
  - apply Rmult_le_compat_l; [exact Hprod|].
    eapply Rle_trans; [|apply exp_minus_1_le, Hsum].
    apply Rplus_le_compat_r, (prod_le_exp_sum L r), Hr.
  - right; ring.
Qed.
