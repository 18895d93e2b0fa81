(** * The claims as coded

    One theorem a claim, in the names of Measured.v, its hypotheses in alphabetical order.  [drt prove] evaluates the
    claim's own formula and hypotheses on Coq terms, prints the statement that they make, and closes it by the theorem
    here: [exact], so a formula or a hypothesis that differs, is dropped or is added does not compile.

    These follow from the theorems of the other files; what is added is bookkeeping: biases that are zero, κ as the
    largest condition number, layers of a Jacobian numbered from l. *)

From Coq Require Import Reals Lra Lia List FunctionalExtensionality.
From DRT Require Import Sums Norms Conditioning Transmission Network FunctionBounds ProductBounds
  JacobianBounds Gradient Descent Fromage Witness FunctionWidths JacobianWidths Models Measured.
Open Scope R_scope.

(** ** Largest and smallest *)

Lemma le_largest n f k : (k < n)%nat -> f k <= largest n f.
Proof.
  unfold largest. destruct n as [|n]; [lia|]. simpl pred. intros Hk. induction n as [|n IH]; simpl.
  - replace k with 0%nat by lia. lra.
  - destruct (Nat.eq_dec k (S n)) as [->|]; [apply Rmax_r|].
    eapply Rle_trans; [apply IH; lia|apply Rmax_l].
Qed.

Lemma largest_le n f c : (0 < n)%nat -> (forall k, (k < n)%nat -> f k <= c) -> largest n f <= c.
Proof.
  unfold largest. destruct n as [|n]; [lia|]. simpl pred. intros _. induction n as [|n IH]; intros H; simpl.
  - apply H; lia.
  - apply Rmax_lub; [apply IH; intros; apply H; lia|apply H; lia].
Qed.

Lemma smallest_pos n f : (0 < n)%nat -> (forall k, (k < n)%nat -> 0 < f k) -> 0 < smallest n f.
Proof.
  unfold smallest. destruct n as [|n]; [lia|]. simpl pred. intros _. induction n as [|n IH]; intros H; simpl.
  - apply H; lia.
  - apply Rmin_pos; [apply IH; intros; apply H; lia|apply H; lia].
Qed.

(** ** κ *)

Lemma conditioned_within K m n A : 0 < smin m n A -> cond m n A <= K -> conditioned K m n A.
Proof.
  unfold cond, conditioned. intros Hs H. replace (opnorm m n A) with (opnorm m n A / smin m n A * smin m n A).
  - apply Rmult_le_compat_r; lra.
  - field. lra.
Qed.

Lemma cond_within K m n A : 0 < smin m n A -> conditioned K m n A -> cond m n A <= K.
Proof. unfold cond, conditioned. intros. apply quotient_le; assumption. Qed.

Lemma zero_conditioned K m n A : fro m n A = 0 -> conditioned K m n A.
Proof.
  intros H. assert (H1 : opnorm m n A <= 0).
  { rewrite <- H. apply opnorm_le; [apply fro_nonneg|apply mv_le_fro]. }
  assert (H2 := smin_le_opnorm m n A). assert (H3 := smin_nonneg m n A).
  unfold conditioned. replace (smin m n A) with 0 by lra. lra.
Qed.

Lemma cond_ge1 m n A : 0 < smin m n A -> 1 <= cond m n A.
Proof.
  intros Hs. assert (H := smin_le_opnorm m n A). unfold cond.
  apply Rmult_le_reg_r with (smin m n A); [exact Hs|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l; lra.
Qed.

(** ** Biases that are zero *)

Lemma biased_net_zero phi w V b x L :
  (forall k i, (k < L)%nat -> (i < w (S k))%nat -> b k i = 0) ->
  forall k i, (k <= L)%nat -> (i < w k)%nat -> biased_net phi w V b x 0 k i = net phi w V x 0 k i.
Proof.
  intros Hb k; induction k as [|k IH]; intros i Hk Hi; [reflexivity|].
  simpl. unfold vphi, pre, vadd. simpl. f_equal. rewrite Hb by (lia || exact Hi). rewrite Rplus_0_r.
  apply sum_ext. intros. rewrite IH; [reflexivity|lia|assumption].
Qed.

Lemma state_unbiased (m : network) V c x :
  (forall k i, (k < layers m)%nat -> (i < width m (S k))%nat -> c k i = 0) ->
  forall k i, (k <= layers m)%nat -> (i < width m k)%nat -> state m V c x k i = Network.net (phi m) (width m) V x 0 k i.
Proof. intros. apply biased_net_zero with (layers m); assumption. Qed.

Lemma constants_pos (m : network) : forall k, (k < layers m)%nat -> transmits (al m k) (be m k) (phi m k).
Proof. intros k Hk. apply (constants m k Hk). Qed.

Lemma be_nonneg (m : network) k : (k < layers m)%nat -> 0 <= be m k.
Proof. intros Hk. destruct (constants m k Hk) as [H1 H2]. apply transmits_le in H2. lra. Qed.

Lemma transmits_from_zero (m : network) : forall k, (k < layers m)%nat -> transmits 0 (be m k) (phi m k).
Proof.
  intros k Hk. destruct (constants m k Hk) as [H1 H2].
  apply transmits_weaken with (al m k) (be m k); [exact H1|lra|exact H2].
Qed.

(** ** The function *)

Section Function.

Import OfFunction.
Variable m : measurement.

Notation f V := (Network.net (phi m) (width m) V (x m) 0 (layers m)).

Lemma norm_f_eq : biases m -> norm_f m = nrm (width m (layers m)) (f (W m)).
Proof.
  intros Hb. apply nrm_ext; intros. apply state_unbiased; [|unfold depth; lia|assumption].
  intros k j Hk Hj. apply (Hb k j Hk Hj).
Qed.

Lemma norm_df_eq : biases m -> norm_df m = nrm (width m (layers m)) (vsub (f (Wt m)) (f (W m))).
Proof.
  intros Hb. apply nrm_ext; intros. unfold vsub. f_equal; [|f_equal];
    (apply state_unbiased; [|unfold depth; lia|assumption]);
    intros k j Hk Hj; apply (Hb k j Hk Hj).
Qed.

Lemma norm_dwh_eq k : biases m -> (k < layers m)%nat ->
  norm_dwh m k = nrm (width m (S k)) (mv (width m k) (change (W m) (Wt m) k) (Network.net (phi m) (width m) (W m) (x m) 0 k)).
Proof.
  intros Hb Hk. apply nrm_ext; intros. unfold mv. apply sum_ext; intros. f_equal.
  apply state_unbiased; [|lia|assumption]. intros q j Hq Hj. apply (Hb q j Hq Hj).
Qed.

Lemma input_nonzero : biases m -> nonzero m -> 0 < norm_x m.
Proof.
  intros Hb Hn. unfold nonzero in Hn. rewrite norm_f_eq in Hn by exact Hb.
  assert (H := nrm_nonneg (width m 0) (x m)). unfold norm_x.
  destruct (Req_dec (nrm (width m 0) (x m)) 0) as [Hz|]; [|lra].
  rewrite (net_of_zero (phi m) (al m) (be m)) in Hn; [lra| |exact Hz].
  intros j Hj. split; [apply be_nonneg, Hj|apply constants_pos, Hj].
Qed.

Lemma weights_nonzero : biases m -> nonzero m -> forall k, (k < layers m)%nat -> 0 < norm_w m k.
Proof.
  intros Hb Hn k Hk. unfold nonzero in Hn. rewrite norm_f_eq in Hn by exact Hb.
  assert (H := opnorm_nonneg (width m (S k)) (width m k) (W m k)).
  unfold norm_w, of_matrix. destruct (Req_dec (opnorm (width m (S k)) (width m k) (W m k)) 0) as [Hz|]; [exfalso|lra].
  assert (Hzero : forall d, (S k + d <= layers m)%nat ->
            nrm (width m (S k + d)) (Network.net (phi m) (width m) (W m) (x m) 0 (S k + d)) = 0).
  { induction d as [|d IH]; intros Hd.
    - rewrite Nat.add_0_r. apply Rle_antisym; [|apply nrm_nonneg]. simpl.
      eapply Rle_trans; [apply (vphi_le (al m k) (be m k)); [apply be_nonneg, Hk|apply constants_pos, Hk]|].
      eapply Rle_trans; [apply Rmult_le_compat_l; [apply be_nonneg, Hk|apply mv_le_opnorm]|]. rewrite Hz. lra.
    - rewrite Nat.add_succ_r. assert (Hq : (S k + d < layers m)%nat) by lia. specialize (IH ltac:(lia)).
      apply Rle_antisym; [|apply nrm_nonneg].
      change (Network.net (phi m) (width m) (W m) (x m) 0 (S (S k + d)))
        with (vphi (phi m (S k + d)%nat) (mv (width m (S k + d)) (W m (S k + d)%nat)
                (Network.net (phi m) (width m) (W m) (x m) 0 (S k + d)))).
      eapply Rle_trans; [apply (vphi_le (al m (S k + d)) (be m (S k + d)));
        [apply be_nonneg, Hq|apply constants_pos, Hq]|].
      eapply Rle_trans; [apply Rmult_le_compat_l; [apply be_nonneg, Hq|apply mv_le_opnorm]|]. rewrite IH. lra. }
  specialize (Hzero (layers m - S k)%nat ltac:(lia)).
  replace (S k + (layers m - S k))%nat with (layers m) in Hzero by lia. lra.
Qed.

Lemma conditioned_w K : finite_kappa_w m -> (forall k, (k < depth m)%nat -> kappa_w m k <= K) ->
  forall k, (k < layers m)%nat -> conditioned K (width m (S k)) (width m k) (W m k).
Proof. intros Hf H k Hk. apply conditioned_within; [apply (Hf k Hk)|apply (H k Hk)]. Qed.

Lemma conditioned_dw K : finite_kappa_dw m -> (forall k, (k < depth m)%nat -> kappa_dw m k <= K) ->
  forall k, (k < layers m)%nat -> conditioned K (width m (S k)) (width m k) (change (W m) (Wt m) k).
Proof.
  intros Hf H k Hk. destruct (Hf k Hk) as [Hz|Hs]; [apply zero_conditioned, Hz|].
  apply conditioned_within; [exact Hs|apply (H k Hk)].
Qed.

Lemma kappa_within k : (k < depth m)%nat -> kappa_w m k <= kappa m /\ kappa_dw m k <= kappa m /\ kappa_wt m k <= kappa m.
Proof.
  intros Hk. assert (H := le_largest (depth m) (fun k => Rmax (Rmax (kappa_w m k) (kappa_dw m k)) (kappa_wt m k)) k Hk).
  fold (kappa m) in H. cbv beta in H.
  assert (H1 := Rmax_l (Rmax (kappa_w m k) (kappa_dw m k)) (kappa_wt m k)).
  assert (H2 := Rmax_r (Rmax (kappa_w m k) (kappa_dw m k)) (kappa_wt m k)).
  assert (H3 := Rmax_l (kappa_w m k) (kappa_dw m k)). assert (H4 := Rmax_r (kappa_w m k) (kappa_dw m k)). lra.
Qed.

End Function.

Ltac of_function m :=
  try apply (constants_pos m); try apply (width_pos m); auto.

Section FunctionClaims.
Import OfFunction.

Theorem theorem1_function : forall m : measurement,
  biases m ->
  (finite_kappa_w m /\ finite_kappa_wt m) /\ finite_kappa_dw m ->
  nonzero m ->
  (forall k, (k < depth m)%nat -> alphas m k > 0) ->
  widths m ->
  relative m <= prod (depth m) (fun k => betas m k / alphas m k) * kappa m ^ (2 * depth m)
                * (prod (depth m) (fun k => 1 + delta m k) - 1).
Proof.
  intros m Hb [[Hw _] Hd] Hn Hal Hrise. assert (Hx := input_nonzero m Hb Hn).
  unfold relative. rewrite norm_df_eq, norm_f_eq by exact Hb.
  apply (FunctionBounds.theorem1_function (phi m) (al m) (be m) (width m) (layers m) (W m) (Wt m) (x m)); of_function m.
  - apply conditioned_w; [exact Hw|]. intros; apply kappa_within; assumption.
  - apply conditioned_dw; [exact Hd|]. intros; apply kappa_within; assumption.
Qed.

Theorem kappa_function : forall m : measurement,
  biases m ->
  finite_kappa_w m /\ finite_kappa_dw m ->
  nonzero m ->
  (forall k, (k < depth m)%nat -> alphas m k > 0) ->
  widths m ->
  relative m <= prod (depth m) (fun k => betas m k / alphas m k)
                * largest (depth m) (fun k => Rmax (kappa_w m k) (kappa_dw m k)) ^ depth m
                * (prod (depth m) (fun k => 1 + largest (depth m) (fun k => Rmax (kappa_w m k) (kappa_dw m k))
                                                * delta m k) - 1).
Proof.
  intros m Hb [Hw Hd] Hn Hal Hrise. assert (Hx := input_nonzero m Hb Hn).
  unfold relative. rewrite norm_df_eq, norm_f_eq by exact Hb. set (K := largest _ _).
  assert (HK : forall k, (k < depth m)%nat -> kappa_w m k <= K /\ kappa_dw m k <= K).
  { intros k Hk. assert (H := le_largest (depth m) (fun k => Rmax (kappa_w m k) (kappa_dw m k)) k Hk).
    fold K in H. cbv beta in H. assert (H3 := Rmax_l (kappa_w m k) (kappa_dw m k)).
    assert (H4 := Rmax_r (kappa_w m k) (kappa_dw m k)). lra. }
  apply (FunctionBounds.kappa_function (phi m) (al m) (be m) (width m) (layers m) (W m) (Wt m) (x m)); of_function m.
  - apply conditioned_w; [exact Hw|]. intros; apply HK; assumption.
  - apply conditioned_dw; [exact Hd|]. intros; apply HK; assumption.
Qed.

Theorem spectral_function : forall m : measurement,
  biases m ->
  finite_kappa_w m ->
  nonzero m ->
  (forall k, (k < depth m)%nat -> alphas m k > 0) ->
  widths m ->
  relative m <= prod (depth m) (fun k => betas m k / alphas m k * kappa_w m k)
                * (prod (depth m) (fun k => 1 + rho m k) - 1).
Proof.
  intros m Hb Hw Hn Hal Hrise. assert (Hx := input_nonzero m Hb Hn).
  unfold relative. rewrite norm_df_eq, norm_f_eq by exact Hb.
  apply (FunctionBounds.spectral_function (phi m) (al m) (be m) (width m) (layers m) (W m) (Wt m) (x m)); of_function m.
Qed.

Theorem telescoping_function : forall m : measurement,
  biases m ->
  nonzero m ->
  absolute m <= sum (depth m) (fun k => products_from (depth m) (fun k => betas m k) k
                                        * products_above (depth m) (fun k => norm_wt m k) k * norm_dwh m k).
Proof.
  intros m Hb _. unfold absolute. rewrite norm_df_eq by exact Hb.
  eapply Rle_trans;
    [apply (ProductBounds.telescoping_function (phi m) (be m) (width m) (layers m) (W m) (Wt m) (x m));
     apply transmits_from_zero|].
  right. apply sum_ext; intros k Hk. rewrite (norm_dwh_eq m k Hb Hk). reflexivity.
Qed.

Theorem norm_product_function : forall m : measurement,
  biases m ->
  nonzero m ->
  absolute m <= prod (depth m) (fun k => betas m k * norm_w m k) * norm_x m
                * (prod (depth m) (fun k => 1 + rho m k) - 1).
Proof.
  intros m Hb Hn. unfold absolute. rewrite norm_df_eq by exact Hb.
  apply (ProductBounds.norm_product_function (phi m) (be m) (width m) (layers m) (W m) (Wt m) (x m)).
  - apply transmits_from_zero.
  - apply weights_nonzero; assumption.
Qed.

Theorem neyshabur_function : forall m : measurement,
  biases m ->
  (forall k, (k < depth m)%nat -> betas m k <= 1) ->
  nonzero m ->
  (forall k, (k < depth m)%nat -> rho m k * INR (depth m) <= 1) ->
  absolute m <= exp 1 * norm_x m * prod (depth m) (fun k => norm_w m k) * sum (depth m) (fun k => rho m k).
Proof.
  intros m Hb Hbe Hn Hrho. unfold absolute. rewrite norm_df_eq by exact Hb.
  assert (HL : 0 < INR (layers m)) by apply lt_0_INR, layers_pos.
  apply (ProductBounds.neyshabur_function (phi m) (width m) (layers m) (W m) (Wt m) (x m)).
  - intros k Hk. apply transmits_weaken with 0 (be m k); [lra|apply Hbe, Hk|apply transmits_from_zero, Hk].
  - apply weights_nonzero; assumption.
  - intros k Hk. specialize (Hrho k Hk). apply Rmult_le_reg_r with (INR (layers m)); [exact HL|].
    rewrite Rinv_l by lra. exact Hrho.
Qed.

Theorem equation3 : forall m : measurement,
  biases m ->
  nonzero m ->
  scalars m ->
  relative m <= prod (depth m) (fun k => 1 + delta m k) - 1.
Proof.
  intros m Hb Hn [HL [Hw Hphi]].
  assert (E : forall V i, (i < 1)%nat -> Network.net (phi m) (width m) V (x m) 0 (layers m) i
                    = Network.net (fun _ u => u) (fun _ => 1%nat) V (x m) 0 2 i).
  { intros V i Hi. unfold depth in HL. rewrite HL. replace i with 0%nat by lia. simpl. unfold vphi.
    rewrite (Hphi 1%nat) by lia. unfold mv at 1. rewrite (Hw 1%nat) by lia. simpl. unfold vphi.
    rewrite (Hphi 0%nat) by lia. unfold mv. rewrite (Hw 0%nat) by lia. simpl. reflexivity. }
  unfold nonzero in Hn. unfold relative. rewrite norm_f_eq in Hn by exact Hb.
  rewrite norm_df_eq, norm_f_eq by exact Hb.
  assert (Hwl : width m (layers m) = 1%nat) by (unfold depth in HL; rewrite HL; apply Hw; lia).
  rewrite Hwl in Hn |- *. rewrite (nrm_ext 1 _ _ (E (W m))) in Hn |- *.
  rewrite (nrm_ext 1 (vsub _ _) (vsub (Network.net (fun _ u => u) (fun _ => 1%nat) (Wt m) (x m) 0 2)
                                      (Network.net (fun _ u => u) (fun _ => 1%nat) (W m) (x m) 0 2)))
    by (intros i Hi; unfold vsub; rewrite !E by exact Hi; reflexivity).
  eapply Rle_trans; [apply equation3_network; exact Hn|].
  unfold depth in *. rewrite HL. unfold delta, delta_at. simpl. rewrite (Hw 2%nat), (Hw 1%nat), (Hw 0%nat) by lia.
  fold (dW m). right. unfold dW. ring.
Qed.

End FunctionClaims.

(** ** The Jacobian *)

(** Limits of slopes are slopes. *)
Lemma limit_slopes_have_one_sign f a c z s :
  0 < a -> transmits a c f -> limit_slope f z s -> slope a c (phi_sign f) s.
Proof.
  intros Ha Hf Hs.
  assert (Hclose : forall eps, 0 < eps -> a - eps <= phi_sign f * s <= c + eps).
  { intros eps Heps. destruct (Hs eps Heps) as [h [Hh [_ Hd]]].
    assert (Hq := difference_quotient_slope f a c Ha Hf z h Hh). unfold slope in Hq.
    apply Rabs_def2 in Hd. destruct (phi_sign_is_sign f) as [E|E]; rewrite E in *; lra. }
  split; apply Rnot_lt_le; intros Hc.
  - specialize (Hclose ((a - phi_sign f * s) / 2)). lra.
  - specialize (Hclose ((phi_sign f * s - c) / 2)). lra.
Qed.

(** Where φ is differentiable the only limit of difference quotients is the derivative. *)
Lemma limit_slope_unique f z s d : limit_slope f z s -> derivable_pt_lim f z d -> s = d.
Proof.
  intros Hs Hd. destruct (Req_dec s d) as [|Hne]; [assumption|exfalso].
  assert (He : 0 < Rabs (s - d) / 2) by (assert (H := Rabs_pos_lt (s - d) ltac:(lra)); lra).
  destruct (Hd _ He) as [[r Hr] H]. simpl in H.
  destruct (Hs (Rmin (Rabs (s - d) / 2) r) (Rmin_pos _ _ He Hr)) as [h [Hh [Hsmall Hq]]].
  assert (H1 := Rmin_l (Rabs (s - d) / 2) r). assert (H2 := Rmin_r (Rabs (s - d) / 2) r).
  specialize (H h Hh ltac:(lra)). set (q := (f (z + h) - f z) / h) in *.
  assert (T := Rabs_triang (s - q) (q - d)). replace (s - q + (q - d)) with (s - d) in T by ring.
  rewrite (Rabs_minus_sym s q) in T. lra.
Qed.

Lemma derivative_is_limit_slope f z d : derivable_pt_lim f z d -> limit_slope f z d.
Proof.
  intros Hd eps Heps. destruct (Hd eps Heps) as [[r Hr] H]. simpl in H.
  assert (Hm := Rmin_pos eps r Heps Hr). assert (H1 := Rmin_l eps r). assert (H2 := Rmin_r eps r).
  exists (Rmin eps r / 2). assert (Hp : 0 < Rmin eps r / 2) by lra.
  rewrite (Rabs_right (Rmin eps r / 2)) by lra. split; [lra|]. split; [lra|].
  apply H; [lra|]. rewrite Rabs_right; lra.
Qed.

Lemma biased_net_split phi w V b h lo a k :
  biased_net phi w V b h lo (a + k) = biased_net phi w V b (biased_net phi w V b h lo a) (lo + a) k.
Proof.
  induction k as [|k IH]; [rewrite Nat.add_0_r; reflexivity|].
  rewrite Nat.add_succ_r. simpl. rewrite IH. unfold pre. rewrite Nat.add_assoc. reflexivity.
Qed.

(** Proposition 1, entry by entry: ∂f_i/∂h_j is entry (i, j) of the product. *)
Lemma product_is_derivative phi w V b G lo k h :
  derivatives_at phi w V b h lo k G ->
  forall i j, (i < w (lo + k))%nat -> (j < w lo)%nat ->
    derivable_pt_lim (fun s => biased_net phi w V b (vadd h (fun a => s * col idm j a)) lo k i) 0
      (jac w G V lo k i j).
Proof.
  intros HG i j Hi Hj.
  assert (Hline : forall a, (a < w lo)%nat ->
            derivable_pt_lim (fun s => vadd h (fun a => s * col idm j a) a) 0 (col idm j a)).
  { intros a _. unfold vadd.
    assert (P := derivable_pt_lim_plus (fun _ => h a) (fun s => s * col idm j a) 0 0 (1 * col idm j a + 0 * 0)
               (derivable_pt_lim_const _ _)
               (derivable_pt_lim_mult (fun s => s) (fun _ => col idm j a) 0 1 0
                  (derivable_pt_lim_id _) (derivable_pt_lim_const _ _))).
    replace (0 + (1 * col idm j a + 0 * 0)) with (col idm j a) in P by ring. exact P. }
  assert (E0 : vadd h (fun a => 0 * col idm j a) = h)
    by (apply functional_extensionality; intros a; unfold vadd; ring).
  assert (P := Network.proposition1 phi w V b G lo k
                 (fun s => vadd h (fun a => s * col idm j a)) (col idm j) 0).
  cbv beta in P. rewrite E0 in P. specialize (P HG Hline i Hi).
  rewrite (mv_unit (w lo)) in P by exact Hj. exact P.
Qed.

Section JacobianClaims.
Import OfJacobian.

Lemma jacobian_slopes (m : measurement) : (forall k, (k < depth m)%nat -> alphas m k > 0) ->
  forall k, (layer m <= k < layer m + depth m)%nat ->
    0 < al m k /\ al m k <= be m k /\
    forall i, (i < width m (S k))%nat ->
      slope (al m k) (be m k) (phi_sign (phi m k)) (G m k i) /\ slope (al m k) (be m k) (phi_sign (phi m k)) (Gt m k i).
Proof.
  intros Hal k Hk. assert (Ha : 0 < al m k).
  { specialize (Hal (k - layer m)%nat ltac:(lia)). unfold alphas in Hal.
    replace (layer m + (k - layer m))%nat with k in Hal by lia. exact Hal. }
  destruct (constants m k) as [_ Ht]; [rewrite (split m); lia|].
  split; [exact Ha|]. split; [exact (transmits_le _ _ _ Ht)|]. intros i Hi.
  destruct (slopes m k i Hk Hi). split; eapply limit_slopes_have_one_sign; eassumption.
Qed.

Lemma jacobian_layers (m : measurement) (P : nat -> Prop) :
  (forall k, (k < depth m)%nat -> P (layer m + k)%nat) ->
  forall k, (layer m <= k < layer m + depth m)%nat -> P k.
Proof.
  intros H k Hk. replace k with (layer m + (k - layer m))%nat by lia. apply H. lia.
Qed.

Lemma jacobian_conditioned_w (m : measurement) K : finite_kappa_w m -> (forall k, (k < depth m)%nat -> kappa_w m k <= K) ->
  forall k, (layer m <= k < layer m + depth m)%nat -> conditioned K (width m (S k)) (width m k) (W m k).
Proof.
  intros Hf H. apply jacobian_layers. intros k Hk. apply conditioned_within; [apply (Hf k Hk)|apply (H k Hk)].
Qed.

Lemma jacobian_conditioned_dw (m : measurement) K : finite_kappa_dw m -> (forall k, (k < depth m)%nat -> kappa_dw m k <= K) ->
  forall k, (layer m <= k < layer m + depth m)%nat -> conditioned K (width m (S k)) (width m k) (change (W m) (Wt m) k).
Proof.
  intros Hf H. apply jacobian_layers. intros k Hk. destruct (Hf k Hk) as [Hz|Hs]; [apply zero_conditioned, Hz|].
  apply conditioned_within; [exact Hs|apply (H k Hk)].
Qed.

Lemma jacobian_kappa_within (m : measurement) k : (k < depth m)%nat ->
  kappa_w m k <= kappa m /\ kappa_dw m k <= kappa m /\ kappa_wt m k <= kappa m.
Proof.
  intros Hk. assert (H := le_largest (depth m) (fun k => Rmax (Rmax (kappa_w m k) (kappa_dw m k)) (kappa_wt m k)) k Hk).
  fold (kappa m) in H. cbv beta in H.
  assert (H1 := Rmax_l (Rmax (kappa_w m k) (kappa_dw m k)) (kappa_wt m k)).
  assert (H2 := Rmax_r (Rmax (kappa_w m k) (kappa_dw m k)) (kappa_wt m k)).
  assert (H3 := Rmax_l (kappa_w m k) (kappa_dw m k)). assert (H4 := Rmax_r (kappa_w m k) (kappa_dw m k)). lra.
Qed.

(** What all three theorems ask for. *)
Ltac of_jacobian m Hal Hw :=
  first
    [ apply (width_pos m); rewrite (split m); lia
    | intros; apply phi_sign_is_sign
    | apply jacobian_layers; exact Hw
    | intros; apply (jacobian_slopes m Hal); assumption
    | assumption
    | idtac ].

Theorem theorem1_jacobian : forall m : measurement,
  biases m ->
  (finite_kappa_w m /\ finite_kappa_wt m) /\ finite_kappa_dw m ->
  nonzero m ->
  (forall k, (k < depth m)%nat -> alphas m k > 0) ->
  widths m ->
  relative m <= prod (depth m) (fun k => betas m k / alphas m k) * kappa m ^ (2 * depth m)
                * (prod (depth m) (fun k => 1 + (betas m k / alphas m k * delta m k
                                                 + (betas m k / alphas m k - 1))) - 1).
Proof.
  intros m _ [[Hw _] Hd] _ Hal Hv.
  eapply Rle_trans; [apply (JacobianBounds.theorem1_jacobian (al m) (be m) (fun k => phi_sign (phi m k)) (width m)
                              (layer m) (depth m) (W m) (Wt m) (G m) (Gt m)) with (K := kappa m)|].
  all: of_jacobian m Hal Hw.
  - intros k Hk. apply (width_pos m). rewrite (split m). lia.
  - apply jacobian_conditioned_w; [exact Hw|]. intros; apply jacobian_kappa_within; assumption.
  - apply jacobian_conditioned_dw; [exact Hd|]. intros; apply jacobian_kappa_within; assumption.
  - right. f_equal. f_equal. apply prod_ext; intros. unfold betas, alphas, delta, delta_at, dW. ring.
Qed.

Theorem kappa_jacobian : forall m : measurement,
  biases m ->
  finite_kappa_w m /\ finite_kappa_dw m ->
  nonzero m ->
  (forall k, (k < depth m)%nat -> alphas m k > 0) ->
  widths m ->
  relative m <= largest (depth m) (fun k => Rmax (kappa_w m k) (kappa_dw m k)) ^ (2 * depth m)
                * (prod (depth m) (fun k => 1 + (betas m k / alphas m k * delta m k
                                                 + (betas m k / alphas m k - 1))) - 1).
Proof.
  intros m _ [Hw Hd] _ Hal Hv. set (K := largest _ _).
  assert (HK : forall k, (k < depth m)%nat -> kappa_w m k <= K /\ kappa_dw m k <= K).
  { intros k Hk. assert (H := le_largest (depth m) (fun k => Rmax (kappa_w m k) (kappa_dw m k)) k Hk).
    fold K in H. cbv beta in H. assert (H3 := Rmax_l (kappa_w m k) (kappa_dw m k)).
    assert (H4 := Rmax_r (kappa_w m k) (kappa_dw m k)). lra. }
  eapply Rle_trans; [apply (JacobianBounds.kappa_jacobian (al m) (be m) (fun k => phi_sign (phi m k)) (width m)
                              (layer m) (depth m) (W m) (Wt m) (G m) (Gt m)) with (K := K)|].
  all: of_jacobian m Hal Hw.
  - intros k Hk. apply (width_pos m). rewrite (split m). lia.
  - apply jacobian_conditioned_w; [exact Hw|]. intros; apply HK; assumption.
  - apply jacobian_conditioned_dw; [exact Hd|]. intros; apply HK; assumption.
  - right. f_equal. f_equal. apply prod_ext; intros. unfold betas, alphas, delta, delta_at, dW. ring.
Qed.

Theorem spectral_jacobian : forall m : measurement,
  biases m ->
  finite_kappa_w m ->
  nonzero m ->
  (forall k, (k < depth m)%nat -> alphas m k > 0) ->
  widths m ->
  relative m <= prod (depth m) (fun k => kappa_w m k)
                * (prod (depth m) (fun k => 1 + (betas m k / alphas m k * rho m k
                                                 + (betas m k / alphas m k - 1))) - 1).
Proof.
  intros m _ Hw _ Hal Hv.
  eapply Rle_trans; [apply (JacobianBounds.spectral_jacobian (al m) (be m) (fun k => phi_sign (phi m k)) (width m)
                              (layer m) (depth m) (W m) (Wt m) (G m) (Gt m))|].
  all: of_jacobian m Hal Hw.
  - intros k Hk. apply (width_pos m). rewrite (split m). lia.
  - right. f_equal. f_equal. apply prod_ext; intros. unfold betas, alphas, rho, rho_at, dW. ring.
Qed.

Theorem proposition1 : forall m : measurement,
  differentiable m ->
  nonzero m ->
  derivative_gap m <= 2 * jacobian_rounding m.
Proof.
  intros m Hd _. unfold derivative_gap, jacobian_rounding.
  set (h := state m (W m) (b m) (x m) (layer m)).
  assert (HG : derivatives_at (phi m) (width m) (W m) (b m) h (layer m) (depth m) (G m)).
  { intros j i Hj Hi.
    assert (E : pre (width m) (W m) (b m) (layer m) j
                  (biased_net (phi m) (width m) (W m) (b m) h (layer m) j) i
                = preactivation m (W m) (b m) (x m) (layer m + j) i).
    { unfold preactivation, pre, state. change (0 + (layer m + j))%nat with (layer m + j)%nat.
      rewrite biased_net_split. reflexivity. }
    rewrite E. destruct (Hd (layer m + j)%nat i ltac:(lia) Hi) as [s Hs].
    destruct (slopes m (layer m + j)%nat i ltac:(lia) Hi) as [HG _].
    rewrite (limit_slope_unique _ _ _ _ HG Hs). exact Hs. }
  assert (E : forall i j, (i < width m (layer m + depth m))%nat -> (j < width m (layer m))%nat ->
            msub (jacobian m (W m) (G m)) (derivative m) i j = 0).
  { intros i j Hi Hj. unfold msub, jacobian.
    assert (P := product_is_derivative _ _ _ _ _ _ _ _ HG i j Hi Hj).
    assert (Q := derived m i j Hi Hj (ex_intro _ _ P)).
    rewrite (uniqueness_limite _ _ _ _ P Q). ring. }
  unfold size at 1. rewrite (fro_zero _ _ (msub _ _)) by exact E. right. unfold Rdiv. ring.
Qed.

End JacobianClaims.

(** ** Descent *)

Lemma fro_zero_inv m n A : fro m n A = 0 -> forall i j, (i < m)%nat -> (j < n)%nat -> A i j = 0.
Proof.
  rewrite fro_columns. intros H i j Hi Hj.
  exact (nrm_zero_inv m (col A j) (nrm_zero_inv n _ H j Hj) i Hi).
Qed.

Lemma padd_change W Wt : padd W (change W Wt) = Wt.
Proof. repeat (apply functional_extensionality; intro). unfold padd, madd, change, msub. ring. Qed.

Section DescentClaims.
Import OfDescent.

Section Of.
Variable m : measurement.
Notation rows := (fun k => width m (S k)).
Hypothesis Hg : forall k, (k < depth m)%nat -> norm_g m k > 0.

Lemma on_1 : on m 1 = Wt m.
Proof. unfold on. rewrite along_1. apply padd_change. Qed.

Lemma on_0 : on m 0 = W m.
Proof. unfold on. apply along_0. Qed.

Lemma pdot_tangent :
  pdot (depth m) rows (width m) (g m (W m)) (dW m) = - sum (depth m) (fun k => lever m k * cosines m k).
Proof.
  unfold pdot. rewrite <- (Rmult_1_l (sum _ (fun k => lever m k * _))), <- Ropp_mult_distr_l_reverse, <- sum_scal.
  apply sum_ext; intros k Hk.
  assert (E := cos_theta_eq (depth m) rows (width m) (W m) (dW m) (g m) Hg k Hk).
  unfold lever, norm_g, norm_step, cosines. unfold cos_theta in E. cbv beta in E.
  replace (fro (width m (S k)) (width m k) (g m (W m) k) * fro (width m (S k)) (width m k) (dW m k) *
           cosine (width m (S k)) (width m k) (dW m k) (mscal (-1) (g m (W m) k)))
    with (- dotF (width m (S k)) (width m k) (g m (W m) k) (dW m k)) by (symmetry; exact E). ring.
Qed.

Lemma excess_below total :
  0 <= total -> loss m (Wt m) - loss m (W m) + sum (depth m) (fun k => lever m k * cosines m k) <= total ->
  excess m <= total.
Proof. intros H0 H. unfold excess. rewrite pdot_tangent. apply Rmax_lub; lra. Qed.

(** The loss falls: then the excess is below the tangent. *)
Lemma excess_of_descent :
  loss m (Wt m) < loss m (W m) -> excess m <= Rmax (sum (depth m) (fun k => lever m k * cosines m k)) 0.
Proof.
  intros H. apply excess_below; [apply Rmax_r|].
  assert (H' := Rmax_l (sum (depth m) (fun k => lever m k * cosines m k)) 0). lra.
Qed.

Lemma lever_nonneg k : 0 <= lever m k.
Proof. apply Rmult_le_pos; apply fro_nonneg. Qed.

Lemma change_within_supremum l t : (l < layers m)%nat -> 0 <= t <= 1 -> gradient_change m t l <= breakdown m l.
Proof. intros Hl Ht. apply (is_supremum m l Hl). exists t. split; [exact Ht|reflexivity]. Qed.

Lemma change_nonneg V l : (l < layers m)%nat -> 0 <= change_of m (g m) V l.
Proof. intros Hl. apply quotient_nonneg; [apply fro_nonneg|apply (Hg l Hl)]. Qed.

Lemma sum_of_lever_nonneg f : (forall k, (k < depth m)%nat -> 0 <= f k) -> 0 <= sum (depth m) (fun k => lever m k * f k).
Proof. intros H. apply sum_nonneg; intros. apply Rmult_le_pos; [apply lever_nonneg|apply H; assumption]. Qed.

Lemma split_lever f :
  - sum (depth m) (fun k => lever m k * (cosines m k - f k))
  = sum (depth m) (fun k => lever m k * f k) - sum (depth m) (fun k => lever m k * cosines m k).
Proof.
  rewrite <- sum_minus. rewrite <- (Rmult_1_l (sum _ (fun k => lever m k * (_ - _)))), <- Ropp_mult_distr_l_reverse, <- sum_scal.
  apply sum_ext; intros; ring.
Qed.

(** [condition4], whose hypotheses on the loss a measurement has. *)
Lemma falls :
  (forall l t, (l < depth m)%nat -> 0 < norm_step m l -> 0 < t < 1 -> gradient_change m t l < cosines m l) ->
  (exists l, (l < depth m)%nat /\ norm_step m l > 0) ->
  loss m (Wt m) < loss m (W m).
Proof.
  intros Hc Hm. rewrite <- (padd_change (W m) (Wt m)).
  apply (Descent.condition4 (depth m) rows (width m) (loss m) (W m) (dW m) (g m) (kinks m)).
  - exact (continuous m).
  - exact (sloping m).
  - exact Hg.
  - intros l t Hl HD Ht _. apply (Hc l t Hl HD Ht).
  - exact Hm.
Qed.

(** Trust with the constant C, and C[(1 + η)^L − 1] below every cosine. *)
Lemma falls_with_trust C :
  0 < C -> finite_eta m ->
  (forall t, 0 <= t <= 1 -> forall k, (k < depth m)%nat ->
     gradient_change m t k <= C * (prod (depth m) (fun k => 1 + t * delta m k) - 1)) ->
  (forall k, (k < depth m)%nat -> C * ((1 + eta m) ^ depth m - 1) < cosines m k \/ norm_step m k = 0) ->
  (exists l, (l < depth m)%nat /\ norm_step m l > 0) ->
  loss m (Wt m) < loss m (W m).
Proof.
  intros HC HW Htrust Hcos Hm. apply falls; [|exact Hm]. intros l t Hl HD Ht.
  destruct (Hcos l Hl) as [H|H]; [|lra].
  eapply Rle_lt_trans; [apply (Htrust t ltac:(lra) l Hl)|]. eapply Rle_lt_trans; [|exact H].
  apply Rmult_le_compat_l; [lra|]. apply Rplus_le_compat_r. rewrite <- prod_const.
  apply prod_le; intros k Hk.
  assert (Hd : 0 <= delta m k) by (apply quotient_nonneg; [apply fro_nonneg|apply (HW k Hk)]).
  assert (He : delta m k <= eta m) by (apply (le_largest (depth m) (delta m) k Hk)).
  assert (0 <= t * delta m k) by (apply Rmult_le_pos; lra).
  assert (t * delta m k <= 1 * delta m k) by (apply Rmult_le_compat_r; lra). lra.
Qed.

Lemma eta_nonneg : finite_eta m -> 0 <= eta m.
Proof.
  intros HW. eapply Rle_trans; [|apply (le_largest (depth m) (delta m) 0), layers_pos].
  apply quotient_nonneg; [apply fro_nonneg|apply HW, layers_pos].
Qed.

(** exp(L log(1 + η)) − 1, as it is evaluated without cancellation. *)
Lemma power_as_exp : finite_eta m -> exp (INR (depth m) * ln (1 + eta m)) - 1 = (1 + eta m) ^ depth m - 1.
Proof.
  intros HW. assert (H := eta_nonneg HW). f_equal. rewrite <- Rpower_pow by lra. reflexivity.
Qed.

End Of.

Theorem lemma1 : forall m : measurement,
  (forall k, (k < depth m)%nat -> norm_g m k > 0) /\ (exists k, (k < depth m)%nat /\ norm_step m k > 0) ->
  excess m <= sum (depth m) (fun k => lever m k * breakdown m k).
Proof.
  intros m [Hg _].
  assert (H := Descent.lemma1 (depth m) (fun k => width m (S k)) (width m) (loss m) (W m) (dW m) (g m) (kinks m)
                 (continuous m) (sloping m) Hg (breakdown m)
                 (fun l t Hl _ Ht _ => change_within_supremum m l t Hl (conj (Rlt_le _ _ (proj1 Ht)) (Rlt_le _ _ (proj2 Ht))))).
  unfold dW in H at 1. rewrite padd_change in H.
  apply excess_below; [exact Hg| |].
  - apply sum_of_lever_nonneg. intros k Hk. eapply Rle_trans; [apply (change_nonneg m Hg (on m 0) k Hk)|].
    apply (change_within_supremum m k 0 Hk). lra.
  - change (loss m (Wt m) - loss m (W m) <= - sum (depth m) (fun k => lever m k * (cosines m k - breakdown m k))) in H.
    rewrite split_lever in H. lra.
Qed.

Theorem lemma1_mean : forall m : measurement,
  (forall k, (k < depth m)%nat -> norm_g m k > 0) /\ (exists k, (k < depth m)%nat /\ norm_step m k > 0) ->
  excess m <= sum (depth m) (fun k => lever m k * mean_breakdown m k).
Proof.
  intros m [Hg _].
  assert (H := Descent.lemma1_mean (depth m) (fun k => width m (S k)) (width m) (loss m) (W m) (dW m) (g m) (kinks m)
                 (continuous m) (sloping m) Hg (primitive m) (fun l t => gradient_change m t l)
                 (is_continuous m) (is_primitive m) (fun l t _ _ _ _ => Rle_refl _)).
  unfold dW in H at 1. rewrite padd_change in H.
  apply excess_below; [exact Hg| |].
  - apply sum_of_lever_nonneg. intros k Hk. unfold mean_breakdown.
    (* a primitive of what is not negative does not fall *)
    destruct (mean_value_kinks (fun t => - primitive m k t) (fun t => - gradient_change m t k) (kinks m) 0 1)
      as [t [_ [_ E]]]; [lra| | |].
    + intros t Ht. apply (continuity_pt_opp (primitive m k)), (is_continuous m k t Hk Ht).
    + intros t Ht Hn. apply (derivable_pt_lim_opp (primitive m k)), (is_primitive m k t Hk Ht Hn).
    + assert (P := change_nonneg m Hg (on m t) k Hk). unfold gradient_change in E. lra.
  - change (loss m (Wt m) - loss m (W m)
            <= - sum (depth m) (fun k => lever m k * (cosines m k - mean_breakdown m k))) in H.
    rewrite split_lever in H. lra.
Qed.

Theorem condition4 : forall m : measurement,
  (forall k, (k < depth m)%nat -> cosines m k > breakdown m k \/ norm_step m k = 0) ->
  (forall k, (k < depth m)%nat -> norm_g m k > 0) /\ (exists k, (k < depth m)%nat /\ norm_step m k > 0) ->
  excess m <= Rmax (sum (depth m) (fun k => lever m k * cosines m k)) 0.
Proof.
  intros m Hc [Hg Hm]. apply excess_of_descent; [exact Hg|]. apply falls; [exact Hg| |exact Hm].
  intros l t Hl HD Ht. destruct (Hc l Hl) as [H|H]; [|lra].
  eapply Rle_lt_trans; [apply change_within_supremum; [exact Hl|lra]|exact H].
Qed.

Theorem lemma2 : forall m : measurement,
  (forall k, (k < depth m)%nat -> norm_g m k > 0) /\ (exists k, (k < depth m)%nat /\ norm_step m k > 0) ->
  finite_eta m /\
    (forall k, (k < depth m)%nat ->
       exp (INR (depth m) * ln (1 + eta m)) - 1 < cosines m k \/ norm_step m k = 0) ->
  (forall t, 0 <= t <= 1 -> forall k, (k < depth m)%nat ->
     gradient_change m t k <= prod (depth m) (fun k => 1 + t * delta m k) - 1) ->
  excess m <= Rmax (sum (depth m) (fun k => lever m k * cosines m k)) 0.
Proof.
  intros m [Hg Hm] [HW Hs] Ht. rewrite power_as_exp in Hs by exact HW. apply excess_of_descent; [exact Hg|].
  apply (falls_with_trust m Hg 1); [lra|exact HW| | |exact Hm].
  - intros t H k Hk. rewrite Rmult_1_l. apply Ht; assumption.
  - intros k Hk. rewrite Rmult_1_l. apply Hs, Hk.
Qed.

Theorem lemma2_constant : forall m : measurement,
  finite_kappa_w m ->
  (forall k, (k < depth m)%nat -> norm_g m k > 0) /\ (exists k, (k < depth m)%nat /\ norm_step m k > 0) ->
  finite_eta m /\
    (forall k, (k < depth m)%nat ->
       (largest (depth m) (fun k => betas m k) * largest (depth m) (fun k => 1 / alphas m k)
        * largest (depth m) (fun k => kappa_w m k) ^ 2) ^ depth m
       * (exp (INR (depth m) * ln (1 + eta m)) - 1) < cosines m k \/ norm_step m k = 0) ->
  (forall k, (k < depth m)%nat -> alphas m k > 0) ->
  (forall t, 0 <= t <= 1 -> forall k, (k < depth m)%nat ->
     gradient_change m t k
     <= (largest (depth m) (fun k => betas m k) * largest (depth m) (fun k => 1 / alphas m k)
         * largest (depth m) (fun k => kappa_w m k) ^ 2) ^ depth m
        * (prod (depth m) (fun k => 1 + t * delta m k) - 1)) ->
  excess m <= Rmax (sum (depth m) (fun k => lever m k * cosines m k)) 0.
Proof.
  intros m Hw [Hg Hm] [HW Hs] Hal Ht. rewrite power_as_exp in Hs by exact HW. apply excess_of_descent; [exact Hg|].
  set (C := (_ * _ * _) ^ depth m) in Hs, Ht.
  assert (HL := layers_pos m). assert (Ha := Hal 0%nat HL).
  assert (HC : 0 < C).
  { apply pow_lt, Rmult_lt_0_compat; [apply Rmult_lt_0_compat|apply pow_lt].
    - eapply Rlt_le_trans; [|apply (le_largest (depth m) (fun k => betas m k) 0 HL)]. unfold alphas in Ha. unfold betas.
      assert (H := transmits_le _ _ _ (constants_pos m 0%nat HL)). lra.
    - eapply Rlt_le_trans; [|apply (le_largest (depth m) (fun k => 1 / alphas m k) 0 HL)]. apply Rdiv_lt_0_compat; lra.
    - eapply Rlt_le_trans; [|apply (le_largest (depth m) (fun k => kappa_w m k) 0 HL)].
      eapply Rlt_le_trans; [|apply (cond_ge1 _ _ _ (Hw 0%nat HL))]. lra. }
  apply (falls_with_trust m Hg C); assumption.
Qed.

Theorem lemma2_mean : forall m : measurement,
  (forall k, (k < depth m)%nat -> norm_g m k > 0) /\ (exists k, (k < depth m)%nat /\ norm_step m k > 0) ->
  finite_eta m /\
    (forall k, (k < depth m)%nat -> mean_growth (eta m) (depth m) < cosines m k \/ norm_step m k = 0) ->
  (forall t, 0 <= t <= 1 -> forall k, (k < depth m)%nat ->
     gradient_change m t k <= prod (depth m) (fun k => 1 + t * delta m k) - 1) ->
  excess m <= Rmax (sum (depth m) (fun k => lever m k * cosines m k)) 0.
Proof.
  intros m [Hg Hm] [HW Hs] Ht. apply excess_of_descent; [exact Hg|].
  rewrite <- (padd_change (W m) (Wt m)).
  apply (Descent.lemma2_mean (depth m) (fun k => width m (S k)) (width m) (loss m) (W m) (dW m) (g m) (kinks m)
           (continuous m) (sloping m) Hg 1 (eta m)); [lra| |exact HW| | |exact Hm].
  - intros l t Hl Htt _. rewrite Rmult_1_l.
    rewrite (prod_ext _ _ (fun k => 1 + t * delta m k)).
    + apply (Ht t); [lra|exact Hl].
    + intros k Hk. rewrite fro_scal, Rabs_right by lra. unfold delta, delta_at, Conditioning.delta, Rdiv. ring.
  - intros k Hk. apply (le_largest (depth m) (delta m) k Hk).
  - intros l Hl HD. rewrite Rmult_1_l. destruct (Hs l Hl) as [H|H]; [exact H|].
    unfold norm_step in H. lra.
Qed.

End DescentClaims.

(** ** Gradients of one input, or of a linear network *)

Lemma linear_phi f a : 0 < a -> transmits a a f -> forall u, f u = phi_sign f * a * u.
Proof.
  intros Ha Hf u. assert (H0 : f 0 = 0).
  { destruct Hf as [H _]. specialize (H 0). rewrite Rabs_R0, Rmult_0_r in H.
    destruct (Req_dec (f 0) 0) as [|Hne]; [assumption|]. assert (P := Rabs_pos_lt _ Hne). lra. }
  destruct (Req_dec u 0) as [->|Hu]; [rewrite H0; ring|].
  assert (H := difference_quotient_slope f a a Ha Hf 0 u Hu). unfold slope in H.
  rewrite Rplus_0_l, H0, Rminus_0_r in H.
  replace (f u) with (f u / u * u) by (field; exact Hu). f_equal.
  destruct (phi_sign_is_sign f) as [E|E]; rewrite E in *; lra.
Qed.

(** A linear function has its one slope everywhere. *)
Lemma limit_slope_linear f a z s : (forall u, f u = a * u) -> limit_slope f z s -> s = a.
Proof.
  intros E Hs. destruct (Req_dec s a) as [|Hne]; [assumption|exfalso].
  assert (Hp := Rabs_pos_lt (a - s) ltac:(lra)).
  destruct (Hs _ Hp) as [h [Hh [_ H]]]. rewrite !E in H.
  replace ((a * (z + h) - a * z) / h) with a in H by (field; exact Hh). lra.
Qed.

Lemma jac_ext w G G' V lo k :
  (forall j i, (j < k)%nat -> (i < w (S (lo + j)))%nat -> G (lo + j)%nat i = G' (lo + j)%nat i) ->
  forall i j, (i < w (lo + k))%nat -> jac w G V lo k i j = jac w G' V lo k i j.
Proof.
  induction k as [|k IH]; intros H i j Hi; [reflexivity|]. simpl. rewrite Nat.add_succ_r in Hi.
  apply mm_ext.
  - intros a Ha. unfold dg. rewrite (H k i) by (lia || exact Hi). reflexivity.
  - intros a Ha. apply IH; [intros; apply H; [lia|assumption]|exact Ha].
Qed.

Lemma net_linear phi s w V y L :
  (forall k u, (k < L)%nat -> phi k u = s k * u) ->
  forall k, (k <= L)%nat -> net phi w V y 0 k = net (linear s) w V y 0 k.
Proof.
  intros H k; induction k as [|k IH]; intros Hk; [reflexivity|]. simpl. rewrite IH by lia.
  apply functional_extensionality; intros i. unfold vphi, linear. apply H. lia.
Qed.

Section TrustClaims.
Import OfDescent.

Section Of.
Variable m : measurement.
Hypothesis Hb : biases m.
Hypothesis Hal : forall k, (k < depth m)%nat -> alphas m k > 0.

Lemma gradient_unbiased V l i j : (l < depth m)%nat -> (j < width m l)%nat ->
  g m V l i j = gradient (phi m) (width m) (layers m) V (inputs m) (F m V) (x m) (c m V) l i j.
Proof.
  intros Hl Hj. unfold g, gradient_of, gradient. apply sum_ext; intros a _. unfold outer. f_equal.
  apply state_unbiased; [|unfold depth in Hl; lia|exact Hj]. intros q i' Hq Hi. apply (Hb q i' Hq Hi).
Qed.

Lemma slopes_one_sign t a k i :
  0 <= t <= 1 -> (a < inputs m)%nat -> (k < layers m)%nat -> (i < width m (S k))%nat ->
  slope (al m k) (be m k) (phi_sign (phi m k)) (F m (on m t) a k i).
Proof.
  intros Ht Ha Hk Hi. eapply limit_slopes_have_one_sign;
    [apply (Hal k Hk)|apply constants_pos, Hk|apply (slopes m t a k i); assumption].
Qed.

(** The two forms of the constant. *)
Lemma constant_form (ratio kappa rho : nat -> R) gamma L l : (l < L)%nat ->
  prod l (fun k => ratio k * kappa k) * prod (L - S l) (fun k => kappa (S l + k)%nat)
  * (prod l (fun k => 1 + rho k) * (1 + gamma)
     * (prod (L - S l) (fun k => ratio (S l + k)%nat * (1 + rho (S l + k)%nat)) * ratio l) - 1)
  = products_below L ratio l * products_others L kappa l
    * ((1 + gamma) * products_from L ratio l * products_others L (fun k => 1 + rho k) l - 1).
Proof.
  intros Hl. unfold products_others, products_below, products_above, products_from.
  rewrite !prod_mult.
  replace (prod (L - l) (fun i => ratio (l + i)%nat))
    with (ratio l * prod (L - S l) (fun i => ratio (S l + i)%nat)); [ring|].
  replace (L - l)%nat with (1 + (L - S l))%nat by lia. rewrite prod_split. f_equal.
  - simpl. rewrite Nat.add_0_r. ring.
  - apply prod_ext; intros. f_equal. lia.
Qed.

End Of.

Lemma gradient_one phi w L V F x c l :
  gradient phi w L V 1 F x c l = gradient phi w L V 1 (fun _ => F 0%nat) (fun _ => x 0%nat) (fun _ => c 0%nat) l.
Proof. reflexivity. Qed.

Lemma end_to_end_one (x c : nat -> vec) m n : fro m n (inputs_times 1 x c) = nrm m (x 0%nat) * nrm n (c 0%nat).
Proof. rewrite <- fro_outer. apply fro_ext; intros. unfold inputs_times, outer. simpl. ring. Qed.

Theorem spectral_relative_trust_constant : forall m : measurement,
  biases m ->
  finite_kappa_w m ->
  (forall k, (k < depth m)%nat -> norm_g m k > 0) /\ (exists k, (k < depth m)%nat /\ norm_step m k > 0) ->
  inputs m = 1%nat \/ (forall k, (k < depth m)%nat -> alphas m k = betas m k) ->
  (forall k, (k < depth m)%nat -> alphas m k > 0) ->
  widths m ->
  change m <= largest (depth m) (fun k =>
    products_below (depth m) (fun k => betas m k / alphas m k) k * products_others (depth m) (fun k => kappa_w m k) k
    * ((1 + gamma m) * products_from (depth m) (fun k => betas m k / alphas m k) k
       * products_others (depth m) (fun k => 1 + rho m k) k - 1)).
Proof.
  intros m Hb Hw [Hg _] Hone Hal [Hrise Hfall].
  set (bound := fun k => _). unfold change. apply largest_le; [apply layers_pos|]. intros l Hl.
  eapply Rle_trans; [|apply (le_largest (depth m) bound l Hl)]. unfold bound. clear bound.
  assert (Hsg : forall k, (k < layers m)%nat -> is_sign (phi_sign (phi m k))) by (intros; apply phi_sign_is_sign).
  assert (E : forall V i j, (j < width m l)%nat ->
            g m V l i j = gradient (phi m) (width m) (layers m) V (inputs m) (F m V) (x m) (c m V) l i j)
    by (intros; apply gradient_unbiased; assumption).
  assert (Hgl := Hg l Hl). unfold norm_g in Hgl. unfold change_of.
  rewrite (fro_ext _ _ (g m (W m) l) _ (fun i j _ Hj => E (W m) i j Hj)) in Hgl |- *.
  rewrite (fro_ext _ _ (msub (g m (Wt m) l) _)
     (msub (gradient (phi m) (width m) (layers m) (Wt m) (inputs m) (F m (Wt m)) (x m) (c m (Wt m)) l)
           (gradient (phi m) (width m) (layers m) (W m) (inputs m) (F m (W m)) (x m) (c m (W m)) l)))
    by (intros; unfold msub; rewrite !E by assumption; reflexivity).
  eapply Rle_trans;
    [|right; exact (constant_form (fun k => betas m k / alphas m k) (kappa_w m) (rho m) (gamma m) (depth m) l Hl)].
  cbv beta.
  destruct Hone as [Hone|Hlinear].
  - (* one input *)
    assert (S0 := fun k i => slopes_one_sign m Hal 0 0 k i). rewrite on_0 in S0.
    assert (S1 := fun k i => slopes_one_sign m Hal 1 0 k i). rewrite on_1 in S1.
    rewrite Hone in *. rewrite !(gradient_one _ _ _ _ (F m _)) in *.
    set (c0 := c m (W m) 0%nat) in *. set (c1 := c m (Wt m) 0%nat) in *. set (y := x m 0%nat) in *.
    assert (Hc : 0 < nrm (width m (layers m)) c0).
    { assert (H := nrm_nonneg (width m (layers m)) c0).
      destruct (Req_dec (nrm (width m (layers m)) c0) 0) as [Hz|]; [exfalso|lra].
      assert (Z := nrm_zero_inv _ _ Hz). rewrite fro_zero in Hgl; [lra|]. intros i j Hi Hj.
      unfold gradient, outer, sensitivity. simpl. unfold mv at 1.
      rewrite (sum_ext _ _ (fun _ => 0)), sum_const; [ring|]. intros q Hq. rewrite Z by exact Hq. ring. }
    assert (Hx : 0 < nrm (width m 0) y).
    { assert (H := nrm_nonneg (width m 0) y).
      destruct (Req_dec (nrm (width m 0) y) 0) as [Hz|]; [exfalso|lra].
      assert (Z : nrm (width m l) (Network.net (phi m) (width m) (W m) y 0 l) = 0).
      { apply (net_of_zero (phi m) (al m) (be m)); [|exact Hz]. intros j Hj. unfold depth in Hl.
        split; [apply be_nonneg; lia|apply constants_pos; lia]. }
      assert (Z' := nrm_zero_inv _ _ Z). rewrite fro_zero in Hgl; [lra|]. intros i j Hi Hj.
      unfold gradient, outer. simpl. rewrite Z' by exact Hj. ring. }
    assert (Eg : gamma m = nrm (width m (layers m)) (vsub c1 c0) / nrm (width m (layers m)) c0).
    { unfold gamma, end_to_end, depth. rewrite Hone, end_to_end_one. fold y c0.
      rewrite (fro_ext _ _ (msub _ _) (outer y (vsub c1 c0)))
        by (intros; unfold msub, inputs_times, outer, vsub; simpl; fold y c0 c1; ring).
      rewrite fro_outer. field. lra. }
    rewrite Eg.
    refine (proj2 (one_input_gradient (phi m) (al m) (be m) (fun k => phi_sign (phi m k)) (width m) l (layers m)
      (W m) (Wt m) (F m (W m) 0%nat) (F m (Wt m) 0%nat) y c0 c1 Hl Hal _ Hsg _ _ _ _ _ Hx Hc)).
    + apply constants_pos.
    + intros k Hk. apply Hrise. unfold depth in *. lia.
    + intros k Hk. apply Hfall. unfold depth in *. lia.
    + intros k Hk _. apply (Hw k Hk).
    + intros k i Hk Hi. apply S0; [lra|lia|lia|exact Hi].
    + intros k i Hk Hi. apply S1; [lra|lia|lia|exact Hi].
  - (* φ linear *)
    set (s := fun k => phi_sign (phi m k) * al m k).
    assert (Hphi : forall k u, (k < layers m)%nat -> phi m k u = s k * u).
    { intros k u Hk. apply linear_phi; [apply (Hal k Hk)|].
      assert (T := constants_pos m k Hk). assert (El := Hlinear k Hk). unfold alphas, betas in El.
      rewrite <- El in T. exact T. }
    assert (Hs : forall k, (k < layers m)%nat -> s k <> 0).
    { intros k Hk. assert (Ha := Hal k Hk). unfold alphas in Ha. unfold s.
      destruct (phi_sign_is_sign (phi m k)) as [->| ->]; lra. }
    assert (HF : forall t a k i, 0 <= t <= 1 -> (a < inputs m)%nat -> (k < layers m)%nat -> (i < width m (S k))%nat ->
              F m (on m t) a k i = s k).
    { intros t a k i Ht Ha Hk Hi.
      apply (limit_slope_linear (phi m k) (s k) _ _ (fun u => Hphi k u Hk) (slopes m t a k i Ht Ha Hk Hi)). }
    assert (El : forall t i j, 0 <= t <= 1 -> (i < width m (S l))%nat ->
              gradient (phi m) (width m) (layers m) (on m t) (inputs m) (F m (on m t)) (x m) (c m (on m t)) l i j
              = gradient (linear s) (width m) (layers m) (on m t) (inputs m) (fun _ k _ => s k) (x m) (c m (on m t)) l i j).
    { intros t i j Ht Hi. unfold depth in Hl. unfold gradient. apply sum_ext; intros a Ha. unfold outer. f_equal.
      - unfold sensitivity. rewrite (HF t a l i) by assumption. f_equal.
        unfold mv. apply sum_ext; intros q Hq. f_equal. unfold tr.
        apply jac_ext.
        + intros j' i' Hj' Hi'. apply HF; try assumption. lia.
        + replace (S l + (layers m - S l))%nat with (layers m) by lia. exact Hq.
      - rewrite (net_linear (phi m) s (width m) _ _ (layers m) Hphi) by lia. reflexivity. }
    assert (E0 := fun i j => El 0 i j ltac:(lra)). rewrite on_0 in E0.
    assert (E1 := fun i j => El 1 i j ltac:(lra)). rewrite on_1 in E1.
    rewrite (fro_ext _ _ (gradient _ _ _ (W m) _ _ _ _ l) _ (fun i j Hi _ => E0 i j Hi)) in Hgl |- *.
    rewrite (fro_ext _ _ (msub (gradient (phi m) _ _ (Wt m) _ _ _ _ l) _)
       (msub (gradient (linear s) (width m) (layers m) (Wt m) (inputs m) (fun _ k _ => s k) (x m) (c m (Wt m)) l)
             (gradient (linear s) (width m) (layers m) (W m) (inputs m) (fun _ k _ => s k) (x m) (c m (W m)) l)))
      by (intros; unfold msub; rewrite E0, E1 by assumption; reflexivity).
    assert (HM : 0 < fro (width m 0) (width m (layers m)) (inputs_times (inputs m) (x m) (c m (W m)))).
    { assert (H := fro_nonneg (width m 0) (width m (layers m)) (inputs_times (inputs m) (x m) (c m (W m)))).
      destruct (Req_dec (fro (width m 0) (width m (layers m)) (inputs_times (inputs m) (x m) (c m (W m)))) 0)
        as [Hz|]; [exfalso|lra].
      assert (Z := fro_zero_inv _ _ _ Hz). rewrite fro_zero in Hgl; [lra|]. intros i j Hi Hj.
      rewrite linear_gradient_passed by (unfold depth in Hl; assumption).
      unfold passed, gd, mm at 1. rewrite (sum_ext _ _ (fun _ => 0)), sum_const; [ring|].
      intros q Hq. unfold mm at 1. rewrite (sum_ext _ _ (fun _ => 0)), sum_const; [ring|].
      intros p Hp. rewrite Z by assumption. ring. }
    assert (R := linear_gradient s (width m) l (layers m) (inputs m) (W m) (Wt m) (x m) (c m (W m)) (c m (Wt m))
      Hl Hs (fun k Hk => Hrise k ltac:(unfold depth in *; lia)) (fun k Hk => Hfall k ltac:(unfold depth in *; lia))
      (fun k Hk _ => Hw k Hk) HM).
    eapply Rle_trans; [exact (proj2 R)|]. clear R. right.
    assert (Hratio : forall k, (k < depth m)%nat -> betas m k / alphas m k = 1).
    { intros k Hk. rewrite <- (Hlinear k Hk). assert (Ha := Hal k Hk). field. lra. }
    rewrite (prod_ext l (fun k => betas m k / alphas m k * kappa_w m k) (kappa_w m))
      by (intros; rewrite Hratio by lia; ring).
    rewrite (prod_ext (depth m - S l) (fun k => betas m (S l + k) / alphas m (S l + k) * (1 + rho m (S l + k)))
               (fun k => 1 + rho m (S l + k))) by (intros; rewrite Hratio by lia; ring).
    rewrite (Hratio l Hl), Rmult_1_r. reflexivity.
Qed.

End TrustClaims.

(** ** Steps of optimisers *)

Section StepClaims.
Import OfStep.

(** 1 − p = η²/(r(1 + r)), r = √(1+η²), as it is evaluated without cancellation. *)
Lemma one_minus_prefactor eta :
  eta ^ 2 / (sqrt (1 + eta ^ 2) * (1 + sqrt (1 + eta ^ 2))) = 1 - prefactor eta.
Proof.
  replace (eta ^ 2) with (eta * eta) by ring. unfold prefactor.
  assert (H1 := sqrt_sqr_1p eta). assert (H2 := sqrt_1p_ge1 eta).
  set (r := sqrt (1 + eta * eta)) in *. replace (eta * eta) with (r * r - 1) by lra. field. lra.
Qed.

Lemma zero_discrepancy a a' c c' : a = a' -> c = c' -> Rmax (Rabs (a - a')) (Rabs (c - c')) = 0.
Proof. intros -> ->. rewrite !Rminus_diag_eq, Rabs_R0 by reflexivity. apply Rmax_left. lra. Qed.

Section Of.
Variable m : measurement.

Lemma step_sizes :
  size m = sqrt (2 * (eta m ^ 2 / (sqrt (1 + eta m ^ 2) * (1 + sqrt (1 + eta m ^ 2))))
                 * (1 + eta m / sqrt (1 + eta m ^ 2) * cosine m)) /\
  lars_size m = eta m.
Proof.
  assert (He := eta_pos m). assert (HW := weight_nonzero m). assert (HG := gradient_nonzero m). split.
  - rewrite one_minus_prefactor.
    replace (eta m / sqrt (1 + eta m ^ 2)) with (prefactor (eta m) * eta m)
      by (unfold prefactor, Rdiv; replace (eta m ^ 2) with (eta m * eta m) by ring; ring).
    apply (Fromage.fromage_relative_size (rows m) (columns m) (eta m) (weight m) (gradient m)); [lra|exact HG|exact HW].
  - rewrite <- (lars_relative_size (rows m) (columns m) (eta m) (weight m) (gradient m) (Rlt_le _ _ He) HG HW).
    unfold lars_size, share, after_lars. f_equal. apply fro_ext; intros. unfold msub, lars, madd. ring.
Qed.

(** Nothing is in the way of a cosine of exactly zero in real arithmetic. *)
Lemma orthogonal : Rabs (cosine m) <= zero_cosine m ->
  dotF (rows m) (columns m) (weight m) (gradient m) = 0.
Proof.
  unfold zero_cosine. intros H. assert (Hp := Rabs_pos (cosine m)).
  assert (Hc : cosine m = 0) by (destruct (Req_dec (cosine m) 0) as [|Hn]; [assumption|assert (P := Rabs_pos_lt _ Hn); lra]).
  assert (HW := weight_nonzero m). assert (HG := gradient_nonzero m).
  unfold cosine, cos_angle in Hc.
  replace (dotF (rows m) (columns m) (weight m) (gradient m))
    with (dotF (rows m) (columns m) (weight m) (gradient m)
          / (fro (rows m) (columns m) (weight m) * fro (rows m) (columns m) (gradient m))
          * (fro (rows m) (columns m) (weight m) * fro (rows m) (columns m) (gradient m))) by (field; lra).
  rewrite Hc. ring.
Qed.
End Of.

Theorem fromage_relative_size : forall m : measurement,
  Rmax (Rabs (size m - sqrt (2 * (eta m ^ 2 / (sqrt (1 + eta m ^ 2) * (1 + sqrt (1 + eta m ^ 2))))
                             * (1 + eta m / sqrt (1 + eta m ^ 2) * cosine m))))
       (Rabs (lars_size m - eta m))
  <= error m
     + sqrt (2 * (eta m ^ 2 / (sqrt (1 + eta m ^ 2) * (1 + sqrt (1 + eta m ^ 2))))
             * (1 + eta m / sqrt (1 + eta m ^ 2) * cosine m))
       * (formula_error m
          + eta m / sqrt (1 + eta m ^ 2) * cosine_error m / (1 + eta m / sqrt (1 + eta m ^ 2) * cosine m)).
Proof.
  intros m. destruct (step_sizes m) as [H1 H2]. rewrite zero_discrepancy by assumption.
  unfold error, formula_error, cosine_error. right. unfold Rdiv. ring.
Qed.

Theorem fromage_relative_size_second_order : forall m : measurement,
  deviation m <= eta m ^ 2 * (1 + eta m) / 2.
Proof.
  intros m. assert (He := eta_pos m). assert (HW := weight_nonzero m). assert (HG := gradient_nonzero m).
  replace (eta m ^ 2) with (eta m * eta m) by ring.
  apply (Fromage.fromage_relative_size_second_order (rows m) (columns m) (eta m) (weight m) (gradient m)); [lra|exact HG|exact HW].
Qed.

Theorem fromage_norm_growth : forall m : measurement,
  Rabs (cosine m) <= zero_cosine m ->
  Rmax (Rabs (grown m - sqrt (1 + eta m ^ 2))) (Rabs (kept m - 1))
  <= error m + eta m * (zero_cosine m + cosine_error m).
Proof.
  intros m Ho. apply orthogonal in Ho.
  assert (He := eta_pos m). assert (HW := weight_nonzero m). assert (HG := gradient_nonzero m).
  rewrite zero_discrepancy.
  - unfold error, zero_cosine, cosine_error. right. ring.
  - replace (eta m ^ 2) with (eta m * eta m) by ring. unfold grown, share, after_lars.
    rewrite lars_norm_growth by (lra || assumption). field. lra.
  - unfold kept, share, after_fromage. rewrite Fromage.fromage_norm_growth by (lra || assumption). field. lra.
Qed.

Theorem fromage_lars_equivalence : forall m : measurement, gap m <= 2 * error m.
Proof.
  intros m. assert (He := eta_pos m). assert (HW := weight_nonzero m). assert (HG := gradient_nonzero m).
  unfold gap, share, error, after_as_lars, after_fromage. rewrite fro_zero.
  - right. unfold Rdiv. ring.
  - intros i j _ _. unfold msub.
    rewrite (fromage_lars_published (rows m) (columns m) (eta m) (weight m) (gradient m)) by (lra || assumption). ring.
Qed.

Theorem fromage_fixed_point : forall m : measurement,
  (eta m - eta m ^ 2 / (1 + sqrt (1 + eta m ^ 2))) / sqrt (1 + eta m ^ 2) <= size m.
Proof.
  intros m. assert (He := eta_pos m). assert (HW := weight_nonzero m). assert (HG := gradient_nonzero m).
  destruct (fromage_moves (rows m) (columns m) (eta m) (weight m) (gradient m) ltac:(lra) HG He HW) as [_ H].
  replace ((eta m - _) / _) with (prefactor (eta m) * (1 + eta m) - 1).
  - unfold size, share, after_fromage. apply Rmult_le_reg_r with (fro (rows m) (columns m) (weight m)); [exact HW|].
    unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra.
  - replace (eta m ^ 2) with (eta m * eta m) by ring. unfold prefactor.
    assert (H1 := sqrt_sqr_1p (eta m)). assert (H2 := sqrt_1p_ge1 (eta m)).
    set (r := sqrt (1 + eta m * eta m)) in *. replace (eta m * eta m) with (r * r - 1) by lra. field. lra.
Qed.

End StepClaims.

(** ** What is false *)

(** Monotone in κ. *)
Lemma power_of_kappa_le a k K n p : 0 <= a -> 0 <= k <= K -> 0 <= p -> a * k ^ n * p <= a * K ^ n * p.
Proof.
  intros Ha Hk Hp. apply Rmult_le_compat_r; [exact Hp|]. apply Rmult_le_compat_l; [exact Ha|].
  apply pow_incr, Hk.
Qed.

Lemma conditioned_layer K m n A At :
  layer_conditioned K m n A At -> cond m n A <= K /\ cond m n At <= K /\ cond m n (msub At A) <= K.
Proof. intros [[H1 H2] [[H3 H4] [H5 H6]]]. repeat split; apply cond_within; assumption. Qed.

Section Falling.
Variables (w : nat -> nat) (L : nat).
Hypothesis HL : (0 < L)%nat.
Hypothesis Hw : forall k, (k <= L)%nat -> (0 < w k)%nat.

(** The network of the identity, and of ReLU. *)
Definition identity_network (A At : nat -> mat) : network := {|
  layers := L; width := w; phi := fun _ u => u; al := fun _ => 1; be := fun _ => 1;
  W := A; Wt := At; b := no_bias; bt := no_bias; layers_pos := HL; width_pos := Hw;
  constants := fun _ _ => conj Rle_0_1 identity_transmits |}.

Definition relu_network (A At : nat -> mat) : network := {|
  layers := L; width := w; phi := fun _ => relu; al := fun _ => 0; be := fun _ => 1;
  W := A; Wt := At; b := no_bias; bt := no_bias; layers_pos := HL; width_pos := Hw;
  constants := fun _ _ => conj (Rle_refl 0) (leaky_relu_transmits 0 (conj (Rle_refl 0) Rle_0_1)) |}.
End Falling.

Lemma positive_2_1 k : (k <= 1)%nat -> (0 < widths_2_1 k)%nat.
Proof. unfold widths_2_1. destruct k; lia. Qed.

Section FunctionRefutations.
Import OfFunction.

Lemma kappa_nonneg (m : measurement) : finite_kappa_w m -> 0 <= kappa m.
Proof.
  intros Hf. assert (H := cond_ge1 _ _ _ (Hf 0%nat (layers_pos m))).
  destruct (kappa_within m 0 (layers_pos m)) as [H' _]. unfold kappa_w, of_matrix in H'. lra.
Qed.

Lemma kappa_at_most (m : measurement) K :
  (forall k, (k < layers m)%nat -> layer_conditioned K (width m (S k)) (width m k) (W m k) (Wt m k)) ->
  kappa m <= K.
Proof.
  intros H. apply largest_le; [apply layers_pos|]. intros k Hk.
  destruct (conditioned_layer _ _ _ _ _ (H k Hk)) as [H1 [H2 H3]]. repeat apply Rmax_lub; assumption.
Qed.

Lemma finite_kappas (m : measurement) K :
  (forall k, (k < layers m)%nat -> layer_conditioned K (width m (S k)) (width m k) (W m k) (Wt m k)) ->
  (finite_kappa_w m /\ finite_kappa_wt m) /\ finite_kappa_dw m.
Proof.
  intros H. repeat split; intros k Hk; destruct (H k Hk) as [[H1 _] [[H2 _] [H3 _]]];
    [exact H1|exact H2|right; exact H3].
Qed.

Lemma deltas_nonneg (m : measurement) : finite_kappa_w m ->
  forall k, (k < depth m)%nat -> 0 <= delta m k.
Proof.
  intros Hf k Hk. apply quotient_nonneg; [apply fro_nonneg|].
  assert (H := Hf k Hk). unfold of_matrix in H.
  eapply Rlt_le_trans; [|apply fro_ge_smin]. apply Rmult_lt_0_compat; [|exact H].
  apply sqrt_lt_R0, lt_0_INR. unfold depth in Hk.
  assert (H1 := width_pos m k ltac:(lia)). assert (H2 := width_pos m (S k) ltac:(lia)). lia.
Qed.

Theorem theorem1_function_as_stated : ~ forall m : measurement,
  biases m ->
  (finite_kappa_w m /\ finite_kappa_wt m) /\ finite_kappa_dw m ->
  nonzero m ->
  (forall k, (k < depth m)%nat -> alphas m k > 0) ->
  relative m <= prod (depth m) (fun k => betas m k / alphas m k) * kappa m ^ (2 * depth m)
                * (prod (depth m) (fun k => 1 + delta m k) - 1).
Proof.
  intros H. apply (FunctionWidths.theorem1_function_as_stated widths_2_1 1 0 positive_2_1); [lia|simpl; lia|].
  intros K A At y Hc Hf.
  set (m := {| net := identity_network widths_2_1 1 Nat.lt_0_1 positive_2_1 A At; x := y |}).
  assert (Hb : biases m) by (intros k i _ _; split; reflexivity).
  assert (Hk := finite_kappas m K Hc).
  specialize (H m Hb Hk). unfold nonzero in H. rewrite (norm_f_eq m Hb) in H.
  specialize (H Hf (fun k _ => Rlt_0_1)).
  unfold relative in H. rewrite (norm_df_eq m Hb), (norm_f_eq m Hb) in H.
  eapply Rle_trans; [exact H|].
  assert (Hd := deltas_nonneg m (proj1 (proj1 Hk))).
  apply (power_of_kappa_le (prod (depth m) (fun k => betas m k / alphas m k)) (kappa m) K (2 * depth m)
           (prod (depth m) (fun k => 1 + delta m k) - 1)).
  - apply prod_nonneg; intros. unfold betas, alphas; simpl. lra.
  - split; [apply kappa_nonneg, Hk|apply (kappa_at_most m K Hc)].
  - assert (1 <= prod (depth m) (fun k => 1 + delta m k)); [|lra].
    apply prod_ge1; intros k Hk'. specialize (Hd k Hk'). lra.
Qed.

Lemma positive_2 k : (k <= 1)%nat -> (0 < 2)%nat.
Proof. lia. Qed.

Theorem relu_model : ~ forall m : measurement,
  biases m ->
  (finite_kappa_w m /\ finite_kappa_wt m) /\ finite_kappa_dw m ->
  nonzero m ->
  relu m ->
  widths m ->
  relative m <= kappa m ^ (2 * depth m) * (prod (depth m) (fun k => 1 + delta m k) - 1).
Proof.
  intros H. destruct (relu_model_unbounded 1) as [A [At [y [Hc [Hd [Hf Hbig]]]]]].
  set (m := {| net := relu_network (fun _ => 2%nat) 1 Nat.lt_0_1 positive_2 (fun _ => A) (fun _ => At); x := y |}).
  assert (Hb : biases m) by (intros k i _ _; split; reflexivity).
  assert (Hk := finite_kappas m 1 (fun _ _ => Hc)).
  specialize (H m Hb Hk). unfold nonzero in H. rewrite (norm_f_eq m Hb) in H.
  assert (Hr : relu m).
  { split; [intros k u Hk'; reflexivity|]. split; [left; reflexivity|]. exists 0%nat. split; [apply Nat.lt_0_1|reflexivity]. }
  assert (Hw : widths m) by (intros k _; apply le_n).
  specialize (H Hf Hr Hw). unfold relative in H. rewrite (norm_df_eq m Hb), (norm_f_eq m Hb) in H.
  assert (Hk1 : 0 <= kappa m <= 1) by (split; [apply kappa_nonneg, Hk|apply (kappa_at_most m 1 (fun _ _ => Hc))]).
  assert (Ed : prod (depth m) (fun k => 1 + delta m k) - 1 = 1 / 2).
  { change (1 * (1 + Conditioning.delta 2 2 A (msub At A)) - 1 = 1 / 2). rewrite Hd. field. }
  rewrite Ed in H.
  assert (Hp : kappa m ^ (2 * depth m) <= 1 ^ (2 * depth m)) by (apply pow_incr, Hk1). rewrite pow1 in Hp.
  assert (Hlast := Rlt_le_trans _ _ _ Hbig H). lra.
Qed.

End FunctionRefutations.

Section JacobianRefutations.
Import OfJacobian.

Definition widths_1_2_1 (k : nat) : nat := match k with 1%nat => 2 | _ => 1 end.

Lemma positive_1_2_1 k : (k <= 2)%nat -> (0 < widths_1_2_1 k)%nat.
Proof. unfold widths_1_2_1. destruct k as [|[|k]]; lia. Qed.

Lemma jacobian_kappa_at_most (m : measurement) K :
  (forall k, (layer m <= k < layer m + depth m)%nat ->
     layer_conditioned K (width m (S k)) (width m k) (W m k) (Wt m k)) ->
  kappa m <= K /\ ((finite_kappa_w m /\ finite_kappa_wt m) /\ finite_kappa_dw m) /\ 0 <= kappa m.
Proof.
  intros H. assert (Hf : (finite_kappa_w m /\ finite_kappa_wt m) /\ finite_kappa_dw m).
  { repeat split; intros k Hk; destruct (H (layer m + k)%nat ltac:(lia)) as [[H1 _] [[H2 _] [H3 _]]];
      [exact H1|exact H2|right; exact H3]. }
  split; [|split; [exact Hf|]].
  - apply largest_le; [apply depth_pos|]. intros k Hk.
    destruct (conditioned_layer _ _ _ _ _ (H (layer m + k)%nat ltac:(lia))) as [H1 [H2 H3]].
    repeat apply Rmax_lub; assumption.
  - assert (H1 := cond_ge1 _ _ _ (proj1 (proj1 Hf) 0%nat (depth_pos m))).
    destruct (jacobian_kappa_within m 0 (depth_pos m)) as [H' _]. unfold kappa_w, of_matrix in H'. lra.
Qed.

Lemma identity_slope z s s' : derivable_pt_lim (fun u => u) z s -> limit_slope (fun u => u) s' s.
Proof.
  intros H. rewrite (uniqueness_limite _ _ _ _ H (derivable_pt_lim_id z)).
  apply derivative_is_limit_slope, derivable_pt_lim_id.
Qed.

(** The record asks what ∂f/∂h_l is: where φ is differentiable, the product. *)
Lemma derived_is_product (N : network) y l n F
  (HG : derivatives_at (phi N) (width N) (W N) (b N) (state N (W N) (b N) y l) l n F) i j :
  (i < width N (l + n))%nat -> (j < width N l)%nat ->
  let f s := biased_net (phi N) (width N) (W N) (b N)
               (vadd (state N (W N) (b N) y l) (fun a => s * col idm j a)) l n i in
  (exists d, derivable_pt_lim f 0 d) -> derivable_pt_lim f 0 (jac (width N) F (W N) l n i j).
Proof. intros Hi Hj f _. apply product_is_derivative; assumption. Qed.

Theorem theorem1_jacobian_as_stated : ~ forall m : measurement,
  biases m ->
  (finite_kappa_w m /\ finite_kappa_wt m) /\ finite_kappa_dw m ->
  nonzero m ->
  (forall k, (k < depth m)%nat -> alphas m k > 0) ->
  relative m <= prod (depth m) (fun k => betas m k / alphas m k) * kappa m ^ (2 * depth m)
                * (prod (depth m) (fun k => 1 + (betas m k / alphas m k * delta m k
                                                 + (betas m k / alphas m k - 1))) - 1).
Proof.
  intros H. apply (JacobianWidths.theorem1_jacobian_as_stated widths_1_2_1 0 2).
  { intros k Hk. apply positive_1_2_1. lia. }
  { apply (valley_no_peak widths_1_2_1 0 2 0 1); simpl; lia. }
  intros K A At y yt F Ft HF HFt Hc Hf.
  set (N := identity_network widths_1_2_1 2 Nat.lt_0_2 positive_1_2_1 A At).
  assert (HF' : derivatives_at (phi N) (width N) (W N) (b N) (state N (W N) (b N) y 0) 0 2 F).
  { intros j i Hj Hi. specialize (HF j i Hj Hi).
    rewrite (uniqueness_limite _ _ _ _ HF (derivable_pt_lim_id _)). apply derivable_pt_lim_id. }
  assert (Hs : forall k i, (0 <= k < 0 + 2)%nat -> (i < width N (S k))%nat ->
    limit_slope (phi N k) (preactivation N (W N) (b N) y k i) (F k i) /\
    limit_slope (phi N k) (preactivation N (Wt N) (bt N) y k i) (Ft k i)).
  { intros k i Hk Hi. specialize (HF k i ltac:(lia) Hi). specialize (HFt k i ltac:(lia) Hi).
    split; eapply identity_slope; eassumption. }
  set (m := {| net := N; x := y; layer := 0; depth := 2; split := eq_refl; depth_pos := Nat.lt_0_2;
               G := F; Gt := Ft; slopes := Hs; derivative := jac (width N) F (W N) 0 2;
               derived := derived_is_product N y 0 2 F HF' |}).
  destruct (jacobian_kappa_at_most m K Hc) as [HK [Hk H0]].
  assert (Hb : biases m) by (intros k i _ _; split; reflexivity).
  specialize (H m Hb Hk Hf (fun k _ => Rlt_0_1)).
  eapply Rle_trans; [exact H|].
  assert (Hd : forall k, (k < 2)%nat -> 0 <= Conditioning.delta (widths_1_2_1 (S k)) (widths_1_2_1 k) (A k) (Network.change A At k)).
  { intros k Hk'. apply quotient_nonneg; [apply fro_nonneg|].
    assert (Hs' := proj1 (proj1 Hk) k Hk'). unfold of_matrix in Hs'.
    eapply Rlt_le_trans; [|apply fro_ge_smin]. apply Rmult_lt_0_compat; [|exact Hs'].
    apply sqrt_lt_R0, lt_0_INR. destruct k as [|[|k]]; simpl; lia. }
  eapply Rle_trans;
    [apply (power_of_kappa_le (prod (depth m) (fun k => betas m k / alphas m k)) (kappa m) K (2 * depth m)
              (prod (depth m) (fun k => 1 + (betas m k / alphas m k * delta m k + (betas m k / alphas m k - 1))) - 1))|].
  - apply prod_nonneg; intros. unfold betas, alphas; simpl. lra.
  - split; assumption.
  - assert (1 <= prod (depth m) (fun k => 1 + (betas m k / alphas m k * delta m k + (betas m k / alphas m k - 1)))); [|lra].
    apply prod_ge1; intros k Hk'. assert (P : 0 <= delta m k) by exact (Hd k Hk').
    change (betas m k) with 1. change (alphas m k) with 1. lra.
  - right. change (al m) with (fun _ : nat => 1). change (be m) with (fun _ : nat => 1). f_equal. f_equal.
    apply prod_ext; intros k _. change (betas m k) with 1. change (alphas m k) with 1.
    change (delta m k) with (Conditioning.delta (widths_1_2_1 (S k)) (widths_1_2_1 k) (A k) (Network.change A At k)).
    simpl. ring.
Qed.

Theorem relu_model_jacobian : ~ forall m : measurement,
  biases m ->
  (finite_kappa_w m /\ finite_kappa_wt m) /\ finite_kappa_dw m ->
  nonzero m ->
  relu m ->
  widths m ->
  relative m <= kappa m ^ (2 * depth m) * (prod (depth m) (fun k => 1 + delta m k) - 1).
Proof.
  intros H. assert (P := relu_model_jacobian_fails (1 / 2) ltac:(lra)). cbv zeta in P.
  set (A := turn 1 0) in P. set (At := turn 1 (1 / 2)) in P.
  set (y := fun j : nat => match j with O => 1 | _ => - (1 / 2 / 2) end) in P.
  set (F := fun _ i : nat => match i with O => 1 | _ => 0 end) in P.
  set (Ft := fun _ _ : nat => 1) in P.
  destruct P as [HF [HFt [Hc [Hd Hbig]]]].
  set (N := relu_network (fun _ => 2%nat) 1 Nat.lt_0_1 positive_2 (fun _ => A) (fun _ => At)).
  assert (Hs : forall k i, (0 <= k < 0 + 1)%nat -> (i < width N (S k))%nat ->
    limit_slope (phi N k) (preactivation N (W N) (b N) y k i) (F k i) /\
    limit_slope (phi N k) (preactivation N (Wt N) (bt N) y k i) (Ft k i)).
  { intros k i Hk Hi. replace k with 0%nat by lia.
    split; apply derivative_is_limit_slope; [apply (HF 0%nat i Nat.lt_0_1 Hi)|apply (HFt 0%nat i Nat.lt_0_1 Hi)]. }
  set (m := {| net := N; x := y; layer := 0; depth := 1; split := eq_refl; depth_pos := Nat.lt_0_1;
               G := F; Gt := Ft; slopes := Hs; derivative := jac (width N) F (W N) 0 1;
               derived := derived_is_product N y 0 1 F HF |}).
  destruct (jacobian_kappa_at_most m 1 (fun _ _ => Hc)) as [HK [Hk H0]].
  assert (Hb : biases m) by (intros k i _ _; split; reflexivity).
  assert (Hr : relu m).
  { split; [intros k u Hk'; reflexivity|]. split; [left; reflexivity|]. exists 0%nat. split; [apply Nat.lt_0_1|reflexivity]. }
  assert (Hw : widths m) by (exists 0%nat; simpl; split; [lia|]; split; intros; lia).
  assert (Hn : nonzero m).
  { unfold nonzero. destruct (Rlt_or_le 0 (size m (jacobian m (W m) (G m)))) as [|Hle]; [assumption|exfalso].
    assert (Hge := fro_nonneg (width m (layer m + depth m)) (width m (layer m)) (jacobian m (W m) (G m))).
    unfold size in Hle. assert (Hz : fro 2 2 (jac (fun _ => 2%nat) F (fun _ => A) 0 1) = 0) by (apply Rle_antisym; assumption).
    rewrite Hz in Hbig. unfold Rdiv in Hbig. rewrite Rinv_0 in Hbig. lra. }
  specialize (H m Hb Hk Hn Hr Hw).
  assert (Ed : prod (depth m) (fun k => 1 + delta m k) - 1 = 1 / 2).
  { change (1 * (1 + Conditioning.delta 2 2 A (msub At A)) - 1 = 1 / 2). rewrite Hd. field. }
  rewrite Ed in H.
  assert (Hp : kappa m ^ (2 * depth m) <= 1 ^ (2 * depth m)) by (apply pow_incr; split; assumption). rewrite pow1 in Hp.
  assert (Hlast := Rlt_le_trans _ _ _ Hbig H). lra.
Qed.

End JacobianRefutations.

Section DescentRefutations.
Import OfDescent.

Definition nearly : R := 19 / 10.

Lemma positive_1 k : (k <= 1)%nat -> (0 < 1)%nat.
Proof. lia. Qed.

(** One weight, from 2 to 1, the squared loss of W − 19/10: Models.v. *)
Definition one_network : network :=
  identity_network (fun _ => 1%nat) 1 Nat.lt_0_1 positive_1 (weight 2) (weight 1).
Definition one_x : nat -> vec := fun _ _ => 1.
Definition one_F : (nat -> mat) -> nat -> nat -> vec := fun _ _ _ _ => 1.
Definition one_c : (nat -> mat) -> nat -> vec := fun V _ _ => 2 * (V 0%nat 0%nat 0%nat - nearly).
Definition one_g := gradient_of one_network 1 one_x one_F one_c.

Lemma one_dW : dW one_network = weight (-1).
Proof. repeat (apply functional_extensionality; intro). change (1 - 2 = -1). ring. Qed.

Lemma one_gradient V : one_g V 0%nat 0%nat 0%nat = 2 * (V 0%nat 0%nat 0%nat - nearly).
Proof.
  unfold one_g, gradient_of, outer, sensitivity, one_x, one_F, one_c, state. simpl.
  unfold mv, tr, idm. simpl. ring.
Qed.

Lemma one_change t : 0 <= t -> change_of one_network one_g (along (W one_network) (dW one_network) t) 0 = 10 * t.
Proof.
  intros Ht. unfold change_of. change (width one_network 1) with 1%nat. change (width one_network 0) with 1%nat.
  rewrite !fro_1_1. unfold msub. rewrite !one_gradient, one_dW.
  unfold along, padd, madd, mscal, one_network, weight, nearly; simpl.
  replace (2 * (2 + t * -1 - 19 / 10) - 2 * (2 - 19 / 10)) with (- (2 * t)) by field.
  rewrite Rabs_Ropp, !Rabs_right by lra. field.
Qed.

Lemma one_slopes t a k i : 0 <= t <= 1 -> (a < 1)%nat -> (k < layers one_network)%nat -> (i < width one_network (S k))%nat ->
  limit_slope (phi one_network k)
    (preactivation one_network (along (W one_network) (dW one_network) t) (b one_network) (one_x a) k i)
    (one_F (along (W one_network) (dW one_network) t) a k i).
Proof. intros. apply derivative_is_limit_slope, derivable_pt_lim_id. Qed.

Lemma one_continuous t : 0 <= t <= 1 ->
  continuity_pt (fun s => one_weight nearly (along (W one_network) (dW one_network) s)) t.
Proof.
  apply (differentiable_continuous 1 (fun _ => 1%nat) (fun _ => 1%nat) _ _ _ (one_weight_gradient nearly)).
  intros; apply one_weight_gradient_at.
Qed.

Lemma one_sloping t : 0 < t < 1 -> ~ In t nil ->
  derivable_pt_lim (fun s => one_weight nearly (along (W one_network) (dW one_network) s)) t
    (pdot (layers one_network) (fun k => width one_network (S k)) (width one_network)
       (one_g (along (W one_network) (dW one_network) t)) (dW one_network)).
Proof.
  intros _ _.
  replace (pdot _ _ _ (one_g _) _) with
    (pdot 1 (fun _ => 1%nat) (fun _ => 1%nat)
       (one_weight_gradient nearly (along (W one_network) (dW one_network) t)) (dW one_network)).
  - apply derivative_along, one_weight_gradient_at.
  - unfold pdot, dotF, dot, col. simpl. rewrite one_gradient. unfold one_weight_gradient. reflexivity.
Qed.

Lemma one_supremum l : (l < layers one_network)%nat ->
  is_lub (fun r => exists t, 0 <= t <= 1 /\ r = change_of one_network one_g (along (W one_network) (dW one_network) t) l) 10.
Proof.
  intros Hl. simpl in Hl. replace l with 0%nat by lia. split.
  - intros r [t [Ht ->]]. rewrite one_change by lra. lra.
  - intros B HB. apply HB. exists 1. split; [lra|]. rewrite one_change by lra. ring.
Qed.

Lemma line_derivative a t : derivable_pt_lim (fun s => a * s * s) t (2 * a * t).
Proof.
  intros eps Heps. assert (Hp : 0 < eps / (Rabs a + 1)) by (apply Rdiv_lt_0_compat; [lra|]; assert (H := Rabs_pos a); lra).
  exists (mkposreal _ Hp). intros h Hh Hs. simpl in Hs.
  replace ((a * (t + h) * (t + h) - a * t * t) / h - 2 * a * t) with (a * h) by (field; exact Hh).
  rewrite Rabs_mult. assert (H := Rabs_pos a).
  apply Rle_lt_trans with ((Rabs a + 1) * Rabs h); [apply Rmult_le_compat_r; [apply Rabs_pos|lra]|].
  replace eps with ((Rabs a + 1) * (eps / (Rabs a + 1))) by (field; lra). apply Rmult_lt_compat_l; lra.
Qed.

Lemma one_primitive_continuous l t : (l < layers one_network)%nat -> 0 <= t <= 1 -> continuity_pt (fun s => 5 * s * s) t.
Proof. intros _ _. apply derivable_continuous_pt. exact (exist _ _ (line_derivative 5 t)). Qed.

Lemma one_primitive l t : (l < layers one_network)%nat -> 0 < t < 1 -> ~ In t nil ->
  derivable_pt_lim (fun s => 5 * s * s) t
    (change_of one_network one_g (along (W one_network) (dW one_network) t) l).
Proof.
  intros Hl Ht _. simpl in Hl. replace l with 0%nat by lia. rewrite one_change by lra.
  replace (10 * t) with (2 * 5 * t) by ring. apply line_derivative.
Qed.

Definition one : measurement := {|
  net := one_network; inputs := 1; x := one_x; loss := one_weight nearly; F := one_F; c := one_c; kinks := nil;
  supremum := fun _ => 10; primitive := fun _ t => 5 * t * t;
  same_biases := fun _ _ _ _ => eq_refl; slopes := one_slopes; continuous := one_continuous; sloping := one_sloping;
  is_supremum := one_supremum; is_continuous := one_primitive_continuous; is_primitive := one_primitive |}.

Lemma one_biases : biases one.
Proof. intros k i _ _. split; reflexivity. Qed.

Lemma one_norm_g : norm_g one 0 = 1 / 5.
Proof.
  unfold norm_g. change (fro 1 1 (one_g (weight 2) 0) = 1 / 5). rewrite fro_1_1, one_gradient.
  unfold weight, nearly. rewrite Rabs_right; lra.
Qed.

Lemma one_norm_step : norm_step one 0 = 1.
Proof.
  unfold norm_step. change (fro 1 1 (dW one_network 0%nat) = 1). rewrite one_dW, fro_1_1. unfold weight.
  rewrite Rabs_left; lra.
Qed.

Lemma one_gradients :
  (forall k, (k < depth one)%nat -> norm_g one k > 0) /\ (exists k, (k < depth one)%nat /\ norm_step one k > 0).
Proof.
  split.
  - intros k Hk. unfold depth in Hk; simpl in Hk. replace k with 0%nat by lia. rewrite one_norm_g. lra.
  - exists 0%nat. split; [apply Nat.lt_0_1|]. rewrite one_norm_step. lra.
Qed.

Lemma one_cosine : cosines one 0 = 1.
Proof.
  unfold cosines. change (cosine 1 1 (dW one_network 0%nat) (mscal (-1) (one_g (weight 2) 0%nat)) = 1).
  unfold cosine. rewrite one_dW, !fro_1_1. unfold dotF, dot, col, mscal; simpl. rewrite one_gradient. unfold weight, nearly.
  rewrite (Rabs_left (-1)), (Rabs_left (-1 * _)) by lra. field.
Qed.

Lemma one_change_end : change one = 10.
Proof.
  unfold change, largest. change (change_of one_network one_g (Wt one) 0 = 10).
  assert (E := on_1 one). change (along (W one_network) (dW one_network) 1 = Wt one) in E.
  rewrite <- E, one_change by lra. ring.
Qed.

Lemma one_delta : delta one 0 = 1 / 2.
Proof.
  unfold delta, delta_at, Conditioning.delta. change (fro 1 1 (dW one_network 0%nat) / fro 1 1 (weight 2 0%nat) = 1 / 2).
  rewrite one_dW, !fro_1_1. unfold weight. rewrite Rabs_left, Rabs_right by lra. lra.
Qed.

Theorem deep_relative_trust : ~ forall m : measurement,
  biases m ->
  (forall k, (k < depth m)%nat -> norm_g m k > 0) /\ (exists k, (k < depth m)%nat /\ norm_step m k > 0) ->
  change m <= prod (depth m) (fun k => 1 + delta m k) - 1.
Proof.
  intros H. specialize (H one one_biases one_gradients). rewrite one_change_end in H.
  change (10 <= 1 * (1 + delta one 0) - 1) in H. rewrite one_delta in H. lra.
Qed.

Theorem spectral_relative_trust : ~ forall m : measurement,
  biases m ->
  (forall k, (k < depth m)%nat -> norm_g m k > 0) /\ (exists k, (k < depth m)%nat /\ norm_step m k > 0) ->
  change m <= prod (depth m) (fun k => 1 + rho m k) - 1.
Proof.
  intros H. specialize (H one one_biases one_gradients). rewrite one_change_end in H.
  change (10 <= 1 * (1 + opnorm 1 1 (dW one_network 0%nat) / opnorm 1 1 (weight 2 0%nat)) - 1) in H.
  rewrite one_dW, !opnorm_1_1 in H. unfold weight in H. rewrite Rabs_left, Rabs_right in H by lra. lra.
Qed.

Theorem lemma2_unconditional : ~ forall m : measurement,
  (forall k, (k < depth m)%nat -> norm_g m k > 0) /\ (exists k, (k < depth m)%nat /\ norm_step m k > 0) ->
  finite_eta m /\
    (forall k, (k < depth m)%nat ->
       exp (INR (depth m) * ln (1 + eta m)) - 1 < cosines m k \/ norm_step m k = 0) ->
  excess m <= Rmax (sum (depth m) (fun k => lever m k * cosines m k)) 0.
Proof.
  intros H. assert (HW : finite_eta one).
  { intros k _. change (0 < fro 1 1 (weight 2 k)). rewrite fro_1_1. unfold weight. rewrite Rabs_right; lra. }
  specialize (H one one_gradients).
  assert (Hs : forall k, (k < depth one)%nat ->
       exp (INR (depth one) * ln (1 + eta one)) - 1 < cosines one k \/ norm_step one k = 0).
  { intros k Hk. unfold depth in Hk; simpl in Hk. replace k with 0%nat by lia. left.
    rewrite power_as_exp by exact HW. rewrite one_cosine.
    change ((1 + delta one 0) ^ 1 - 1 < 1). rewrite one_delta. lra. }
  specialize (H (conj HW Hs)).
  assert (Ht : sum (depth one) (fun k => lever one k * cosines one k) = 1 / 5).
  { change (0 + norm_g one 0 * norm_step one 0 * cosines one 0 = 1 / 5).
    rewrite one_norm_g, one_norm_step, one_cosine. field. }
  unfold excess in H. rewrite (pdot_tangent one (proj1 one_gradients)), Ht in H.
  assert (E : loss one (Wt one) - loss one (W one) = 8 / 10).
  { change (one_weight nearly (weight 1) - one_weight nearly (weight 2) = 8 / 10).
    rewrite !one_weight_eq. unfold weight, nearly. field. }
  rewrite E in H. rewrite Rmax_left, Rmax_left in H by lra. lra.
Qed.

End DescentRefutations.
