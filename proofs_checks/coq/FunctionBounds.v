(** * Relative change of the function: widths that never contract

    For a perceptron whose φ_l transmit [α_l, β_l] (α_l > 0), widths w 0 <= w 1 <= ... <= w L, all positive,
    s_min(W_l) > 0 and x ≠ 0:

    spectral.function   ‖f̃−f‖/‖f‖ <= Π (β_l/α_l κ(W_l)) · [Π (1+ρ_l) − 1]       nothing asked of ΔW
    kappa.function      ‖f̃−f‖/‖f‖ <= Π (β_l/α_l) · κ^L · [Π (1+κ δ_l) − 1]       κ(W_l), κ(ΔW_l) <= κ
    theorem1.function   ‖f̃−f‖/‖f‖ <= Π (β_l/α_l) · κ^{2L} · [Π (1+δ_l) − 1]      κ(W_l), κ(ΔW_l) <= κ

    With one φ for all layers the products are (β/α)^L, as in the paper.

    Correspondence: f = [net φ w W x 0 L], f̃ the same with [Wt]; "κ(A) <= κ" is
    [conditioned κ m n A] and s_min, ‖·‖₂ are those of Conditioning.v.  Of the paper's hypotheses
    κ(W̃_l) <= κ is not needed.  f ≠ 0 is not assumed but proved ([net_pos]).

    equation3 is stated here once more as the claim about networks that it is coded as: two layers
    of width 1, φ the identity.

    The second bound is never above the third ([kappa_below_theorem1]).

    All three are [function_bound] with different per-layer numbers (c, d): see [layer_bound]. *)

From Coq Require Import Reals Lra Lia.
From DRT Require Import Sums Norms Conditioning Transmission Recursion Network.
Open Scope R_scope.

(** W̃h̃ − Wh = W̃(h̃−h) + ΔW h, and φ expands by at most β.  Also used for the bounds of
    ProductBounds.v. *)
Lemma layer_error al be phi m n W Wt h ht :
  0 <= be -> transmits al be phi ->
  nrm m (vsub (vphi phi (mv n Wt ht)) (vphi phi (mv n W h)))
  <= be * (opnorm m n Wt * nrm n (vsub ht h) + nrm m (mv n (msub Wt W) h)).
Proof.
  intros Hbe Hphi. eapply Rle_trans; [apply (vphi_lipschitz al be); assumption|].
  apply Rmult_le_compat_l; [exact Hbe|].
  rewrite (nrm_ext m _ (vadd (mv n Wt (vsub ht h)) (mv n (msub Wt W) h))).
  2:{ intros. unfold vadd, vsub at 1. rewrite mv_vsub, mv_msub; ring. }
  eapply Rle_trans; [apply triangle|]. apply Rplus_le_compat_r, mv_le_opnorm.
Qed.

(** ‖W̃‖ <= ‖W‖ + ‖ΔW‖ and ‖ΔW h‖ <= ‖ΔW‖ ‖h‖ *)
Lemma layer_error_opnorm al be phi m n W Wt h ht :
  0 <= be -> transmits al be phi ->
  nrm m (vsub (vphi phi (mv n Wt ht)) (vphi phi (mv n W h)))
  <= be * ((opnorm m n W + opnorm m n (msub Wt W)) * nrm n (vsub ht h)
           + opnorm m n (msub Wt W) * nrm n h).
Proof.
  intros Hbe Hphi. eapply Rle_trans; [apply (layer_error al be); assumption|].
  apply Rmult_le_compat_l; [exact Hbe|]. apply Rplus_le_compat; [|apply mv_le_opnorm].
  apply Rmult_le_compat_r; [apply nrm_nonneg|apply opnorm_triangle].
Qed.

Section Function.

Variables (phi : nat -> R -> R) (al be : nat -> R) (w : nat -> nat) (L : nat).
Variables (W Wt : nat -> mat) (x : vec).
Hypothesis Hal : forall k, (k < L)%nat -> 0 < al k.
Hypothesis Hphi : forall k, (k < L)%nat -> transmits (al k) (be k) (phi k).
Hypothesis Hw : forall k, (k <= L)%nat -> (0 < w k)%nat.
Hypothesis Hrise : forall k, (k < L)%nat -> (w k <= w (S k))%nat.
Hypothesis Hs : forall k, (k < L)%nat -> 0 < smin (w (S k)) (w k) (W k).

(** 0 < α_k <= β_k *)
Lemma constants k : (k < L)%nat -> 0 < al k <= be k.
Proof.
  intros Hk. split; [apply Hal, Hk|]. apply (transmits_le (al k) (be k) (phi k)), Hphi, Hk.
Qed.

(** ‖h_{k+1}‖ >= α_k s_min(W_k) ‖h_k‖ *)
Lemma signal_kept k : (k < L)%nat ->
  al k * smin (w (S k)) (w k) (W k) * nrm (w k) (net phi w W x 0 k)
  <= nrm (w (S k)) (net phi w W x 0 (S k)).
Proof.
  intros Hk. assert (Hc := constants k Hk). simpl.
  eapply Rle_trans; [|apply (vphi_ge (al k) (be k)); [lra|apply Hphi, Hk]].
  rewrite Rmult_assoc. apply Rmult_le_compat_l; [lra|]. apply smin_le_mv, Hrise, Hk.
Qed.

Lemma net_pos k : 0 < nrm (w 0%nat) x -> (k <= L)%nat -> 0 < nrm (w k) (net phi w W x 0 k).
Proof.
  intros Hx; induction k as [|k IH]; intros Hk; [exact Hx|].
  eapply Rlt_le_trans; [|apply signal_kept; lia].
  assert (0 < smin (w (S k)) (w k) (W k)) by (apply Hs; lia).
  assert (0 < al k) by (apply Hal; lia).
  repeat apply Rmult_lt_0_compat; auto. apply IH; lia.
Qed.

Theorem function_bound (c d : nat -> R) :
  0 < nrm (w 0%nat) x ->
  (forall k, (k < L)%nat -> layer_bound (c k) (d k) (w (S k)) (w k) (W k) (change W Wt k)) ->
  nrm (w L) (vsub (net phi w Wt x 0 L) (net phi w W x 0 L)) / nrm (w L) (net phi w W x 0 L)
  <= prod L (fun k => be k / al k * c k) * (prod L (fun k => 1 + d k) - 1).
Proof.
  intros Hx Hlayer.
  assert (Hba : forall k, (k < L)%nat -> 1 <= be k / al k).
  { intros k Hk. assert (Hc := constants k Hk). apply Rmult_le_reg_r with (al k); [lra|].
    unfold Rdiv. rewrite Rmult_assoc, Rinv_l; lra. }
  apply quotient_le; [apply net_pos; auto|].
  assert (H := relative_recursion L
    (fun k => nrm (w k) (vsub (net phi w Wt x 0 k) (net phi w W x 0 k)))
    (fun k => nrm (w k) (net phi w W x 0 k))
    (fun k => al k * smin (w (S k)) (w k) (W k))
    (fun k => be k / al k * c k) (fun k => 1 + d k) 1 1).
  cbv beta in H. rewrite !Rmult_1_l in H. apply H; clear H; try lra.
  - intros k Hk. destruct (Hlayer k Hk) as [Hsk [Hc [Hd _]]].
    assert (Hab := constants k Hk). assert (Hr := Hba k Hk). split; [apply Rmult_le_pos; lra|]. split; [|lra].
    replace 1 with (1 * 1) by ring. apply Rmult_le_compat; lra.
  - intros; apply nrm_nonneg.
  - apply signal_kept.
  - intros k Hk. destruct (Hlayer k Hk) as [Hsk [Hc [Hd [Ha He]]]].
    assert (Hab := constants k Hk).
    simpl net. eapply Rle_trans; [apply (layer_error_opnorm (al k) (be k)); [lra|apply Hphi, Hk]|].
    fold (change W Wt k).
    set (s := smin (w (S k)) (w k) (W k)) in *.
    set (err := nrm (w k) (vsub _ _)). set (size := nrm (w k) (net phi w W x 0 k)).
    assert (0 <= err) by apply nrm_nonneg. assert (0 <= size) by apply nrm_nonneg.
    replace (be k / al k * c k * (al k * s) * ((1 + d k) * err + (1 + d k - 1) * size))
      with (be k * ((c k * s + c k * d k * s) * err + c k * d k * s * size)) by (field; lra).
    apply Rmult_le_compat_l; [lra|].
    apply Rplus_le_compat; apply Rmult_le_compat_r; lra.
  - rewrite nrm_zero; [|intros; unfold vsub; simpl; ring]. rewrite Rminus_diag_eq by reflexivity.
    lra.
Qed.

(** ** spectral.function *)
Theorem spectral_function :
  0 < nrm (w 0%nat) x ->
  nrm (w L) (vsub (net phi w Wt x 0 L) (net phi w W x 0 L)) / nrm (w L) (net phi w W x 0 L)
  <= prod L (fun k => be k / al k * cond (w (S k)) (w k) (W k))
     * (prod L (fun k => 1 + rho (w (S k)) (w k) (W k) (change W Wt k)) - 1).
Proof. intros Hx. apply function_bound; [exact Hx|]; intros. apply layer_bound_spectral; auto. Qed.

(** ** kappa.function and theorem1.function *)

Variable K : R.
Hypothesis HW : forall k, (k < L)%nat -> conditioned K (w (S k)) (w k) (W k).
Hypothesis HD : forall k, (k < L)%nat -> conditioned K (w (S k)) (w k) (change W Wt k).

Theorem kappa_function :
  0 < nrm (w 0%nat) x ->
  nrm (w L) (vsub (net phi w Wt x 0 L) (net phi w W x 0 L)) / nrm (w L) (net phi w W x 0 L)
  <= prod L (fun k => be k / al k) * K ^ L
     * (prod L (fun k => 1 + K * delta (w (S k)) (w k) (W k) (change W Wt k)) - 1).
Proof.
  intros Hx. rewrite <- prod_const, <- prod_mult. apply function_bound; [exact Hx|]; intros.
  apply layer_bound_kappa; auto. apply Hw; lia.
Qed.

Theorem theorem1_function :
  0 < nrm (w 0%nat) x ->
  nrm (w L) (vsub (net phi w Wt x 0 L) (net phi w W x 0 L)) / nrm (w L) (net phi w W x 0 L)
  <= prod L (fun k => be k / al k) * K ^ (2 * L)
     * (prod L (fun k => 1 + delta (w (S k)) (w k) (W k) (change W Wt k)) - 1).
Proof.
  intros Hx. rewrite pow_mult, <- prod_const, <- prod_mult. replace (K ^ 2) with (K * K) by ring.
  apply function_bound; [exact Hx|]; intros.
  apply layer_bound_kappa_squared; auto. apply Hw; lia.
Qed.

End Function.

(** Π(1+κd_k) − 1 <= κ^L [Π(1+d_k) − 1]; multiply by b κ^L, b = Π (β_k/α_k). *)
Theorem kappa_below_theorem1 b K L (d : nat -> R) :
  0 <= b -> 1 <= K -> (forall k, (k < L)%nat -> 0 <= d k) ->
  b * K ^ L * (prod L (fun k => 1 + K * d k) - 1)
  <= b * K ^ (2 * L) * (prod L (fun k => 1 + d k) - 1).
Proof.
  intros Hb HK Hd.
  replace (2 * L)%nat with (L + L)%nat by lia.
  rewrite pow_add, <- Rmult_assoc, (Rmult_assoc (b * K ^ L) (K ^ L)).
  apply Rmult_le_compat_l; [apply Rmult_le_pos; [exact Hb|apply pow_le; lra]|].
  induction L as [|n IH]; simpl; [lra|].
  assert (Hn : 0 <= d n) by (apply Hd; lia).
  assert (HKn : 1 <= K ^ n) by (apply pow_R1_Rle, HK).
  specialize (IH (fun k Hk => Hd k (Nat.lt_lt_succ_r _ _ Hk))).
  set (A := prod n (fun k => 1 + K * d k)) in *.
  assert (HB : 1 <= prod n (fun k => 1 + d k)).
  { apply prod_ge1; intros k Hk. assert (0 <= d k) by (apply Hd; lia). lra. }
  set (B := prod n (fun k => 1 + d k)) in *.
  assert (HKd : 0 <= K * d n) by (apply Rmult_le_pos; lra).
  assert (H1 : (A - 1) * (1 + K * d n) <= K ^ n * (B - 1) * (1 + K * d n))
    by (apply Rmult_le_compat_r; lra).
  assert (H2 : K ^ n * (B - 1) * (1 + K * d n) <= K ^ n * (B - 1) * (K * (1 + d n))).
  { apply Rmult_le_compat_l; [apply Rmult_le_pos|]; lra. }
  assert (H3 : 1 * (K * d n) <= K ^ n * (K * d n)) by (apply Rmult_le_compat_r; lra).
  lra.
Qed.

(** ** equation3, of networks: f(x) = b a x, a and b the only entries of W_0 and W_1 *)

Theorem equation3_network (W Wt : nat -> mat) (x : vec) :
  let f V := net (fun _ u => u) (fun _ => 1%nat) V x 0 2 in
  let d k := delta 1 1 (W k) (change W Wt k) in
  0 < nrm 1 (f W) ->
  nrm 1 (vsub (f Wt) (f W)) / nrm 1 (f W) <= (1 + d 0%nat) * (1 + d 1%nat) - 1.
Proof.
  intros f d. unfold d, delta. rewrite !fro_1_1, !nrm_1.
  assert (Ef : forall V, f V 0%nat = V 0%nat 0%nat 0%nat * V 1%nat 0%nat 0%nat * x 0%nat)
    by (intros; unfold f, vphi, mv; simpl; unfold vphi, mv; simpl; ring).
  unfold vsub. rewrite !Ef.
  set (a := W 0%nat 0%nat 0%nat). set (b := W 1%nat 0%nat 0%nat). intros Hf.
  assert (Ha : a <> 0) by (intros E; rewrite E, !Rmult_0_l, Rabs_R0 in Hf; lra).
  assert (Hb : b <> 0) by (intros E; rewrite E, Rmult_0_r, Rmult_0_l, Rabs_R0 in Hf; lra).
  assert (Hx : x 0%nat <> 0) by (intros E; rewrite E, Rmult_0_r, Rabs_R0 in Hf; lra).
  eapply Rle_trans; [|apply (equation3 a b (change W Wt 0%nat 0%nat 0%nat)
                                            (change W Wt 1%nat 0%nat 0%nat) Ha Hb)].
  unfold change, msub. fold a b.
  replace (a + (Wt 0%nat 0%nat 0%nat - a)) with (Wt 0%nat 0%nat 0%nat) by ring.
  replace (b + (Wt 1%nat 0%nat 0%nat - b)) with (Wt 1%nat 0%nat 0%nat) by ring.
  right. rewrite <- Rmult_minus_distr_r, !Rabs_mult.
  field. repeat split; apply Rabs_no_R0; assumption.
Qed.
