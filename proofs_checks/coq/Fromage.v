(** * Fromage

    One layer: weights W, gradient g ≠ 0 (m × n matrices), learning rate η; norms are Frobenius.
        equation (5), the LARS-style step:   ΔW = −η (‖W‖/‖g‖) g          [lars_change]
        Algorithm 1, the Fromage step:       W⁺ = p (W + ΔW), p = 1/√(1+η²)   [fromage]

    fromage.relative-size      ‖ΔW‖/‖W‖ = η for step (5);  for a Fromage step, with
                               c = cos∠(W, g):  ‖W⁺−W‖/‖W‖ = √(2(1−p)(1+pηc)),
                               and this is η up to second order: |‖W⁺−W‖/‖W‖ − η| <= η²(1+η)/2
    fromage.norm-growth        if ⟨g, W⟩ = 0:  ‖W+ΔW‖ = √(1+η²) ‖W‖  and  ‖W⁺‖ = ‖W‖;
                               after t such steps ‖W_t‖ = √(1+η²)^t ‖W_0‖ and ‖W_t‖ = ‖W_0‖
    fromage.lars-equivalence   reviewer 2's form of LARS, W − γℓ(βW + ‖W‖/((1+β)‖g‖) g), is
                               Fromage for β = (√(1+4q) − 1)/2 and γℓ = (1−p)/β, where
                               q = (√(1+η²) − 1)/η;
                               LARS as published, W − γℓ ‖W‖/(‖g‖+β‖W‖) (g+βW), is Fromage for
                               γℓ = pη(1+q) and a weight decay that follows the gradient,
                               β = q‖g‖/‖W‖
    fromage.fixed-point        ‖W⁺ − W‖ >= (p(1+η) − 1)‖W‖ > 0 for W ≠ 0, η > 0;
                               hence W⁺ = W forces W = 0; and if the iterates of Algorithm 1,
                               with any gradients whatever, converge, their limit is 0

    The formal statements are these; "W ≠ 0" is 0 < ‖W‖_F, and "W = 0" is ‖W‖_F = 0. *)

From Coq Require Import Reals Lra Lia.
From DRT Require Import Sums Norms.
Open Scope R_scope.

Section OneLayer.

Variables (m n : nat).
Notation norm A := (fro m n A).

Definition lars_change (eta : R) (W g : mat) : mat := mscal (- (eta * (norm W / norm g))) g.
Definition lars (eta : R) (W g : mat) : mat := madd W (lars_change eta W g).

Definition prefactor (eta : R) : R := / sqrt (1 + eta * eta).
Definition fromage (eta : R) (W g : mat) : mat := mscal (prefactor eta) (lars eta W g).

Definition cos_angle (A B : mat) : R := dotF m n A B / (norm A * norm B).

(** ** The prefactor *)

Lemma sqrt_sqr_1p eta : sqrt (1 + eta * eta) * sqrt (1 + eta * eta) = 1 + eta * eta.
Proof. apply sqrt_sqrt. nra. Qed.

Lemma sqrt_1p_ge1 eta : 1 <= sqrt (1 + eta * eta).
Proof. rewrite <- sqrt_1 at 1. apply sqrt_le_1_alt. nra. Qed.

Lemma prefactor_pos eta : 0 < prefactor eta.
Proof. apply Rinv_0_lt_compat. assert (H := sqrt_1p_ge1 eta). lra. Qed.

Lemma prefactor_sqrt eta : prefactor eta * sqrt (1 + eta * eta) = 1.
Proof. apply Rinv_l. assert (H := sqrt_1p_ge1 eta). lra. Qed.

Lemma prefactor_sqr eta : prefactor eta * prefactor eta * (1 + eta * eta) = 1.
Proof.
  rewrite <- sqrt_sqr_1p.
  replace (prefactor eta * prefactor eta * (sqrt (1 + eta * eta) * sqrt (1 + eta * eta)))
    with (prefactor eta * sqrt (1 + eta * eta) * (prefactor eta * sqrt (1 + eta * eta))) by ring.
  rewrite prefactor_sqrt. ring.
Qed.

Lemma prefactor_le1 eta : prefactor eta <= 1.
Proof.
  assert (H := sqrt_1p_ge1 eta). assert (H' := prefactor_sqrt eta).
  assert (Hp := prefactor_pos eta). nra.
Qed.

(** 1 − p <= η²/2 *)
Lemma prefactor_second_order eta : 1 - prefactor eta <= eta * eta / 2.
Proof.
  (* p² (1 + η²) = 1, and (1 − η²/2)² (1 + η²) = 1 − η⁴ (3 − η²)/4 *)
  assert (H := prefactor_sqr eta). assert (Hp := prefactor_pos eta).
  set (p := prefactor eta) in *. set (e := eta * eta) in *.
  assert (He : 0 <= e) by (unfold e; nra). clearbody e p.
  destruct (Rle_lt_dec (1 - e / 2) p) as [Hle|Hlt]; [lra|exfalso].
  assert (Hsq : p * p < (1 - e / 2) * (1 - e / 2)) by nra.
  assert (Hmul : p * p * (1 + e) < (1 - e / 2) * (1 - e / 2) * (1 + e)).
  { apply Rmult_lt_compat_r; lra. }
  assert (0 <= e * e * (3 - e)) by (repeat apply Rmult_le_pos; lra).
  lra.
Qed.

(** √(1+η²) < 1 + η *)
Lemma sqrt_1p_lt eta : 0 < eta -> sqrt (1 + eta * eta) < 1 + eta.
Proof.
  intros H. assert (H1 := sqrt_sqr_1p eta). assert (H2 := sqrt_1p_ge1 eta). nra.
Qed.

(** ** The step (5) *)

Section Step.

Variables (eta : R) (W g : mat).
Hypothesis Heta : 0 <= eta.
Hypothesis Hg : 0 < norm g.

Lemma lars_change_norm : norm (lars_change eta W g) = eta * norm W.
Proof.
  unfold lars_change. rewrite fro_scal, Rabs_Ropp, Rabs_right; [field; lra|].
  apply Rle_ge, Rmult_le_pos; [exact Heta|]. apply quotient_nonneg; [apply fro_nonneg|exact Hg].
Qed.

Lemma lars_norm_le : norm (lars eta W g) <= (1 + eta) * norm W.
Proof.
  eapply Rle_trans; [apply fro_triangle|]. rewrite lars_change_norm. lra.
Qed.

Theorem lars_relative_size : 0 < norm W -> norm (lars_change eta W g) / norm W = eta.
Proof. intros HW. rewrite lars_change_norm. field. lra. Qed.

Theorem lars_norm_growth :
  dotF m n W g = 0 -> norm (lars eta W g) = sqrt (1 + eta * eta) * norm W.
Proof.
  intros Horth. apply eq_of_sqr; [apply fro_nonneg|apply Rmult_le_pos;
    [apply sqrt_pos|apply fro_nonneg]|].
  unfold lars at 1 2. rewrite fro_madd_sqr, lars_change_norm.
  unfold lars_change. rewrite dotF_scal_r, Horth.
  replace (sqrt (1 + eta * eta) * norm W * (sqrt (1 + eta * eta) * norm W))
    with (sqrt (1 + eta * eta) * sqrt (1 + eta * eta) * (norm W * norm W)) by ring.
  rewrite sqrt_sqr_1p. ring.
Qed.

(** ** The Fromage step *)

Theorem fromage_norm_growth : dotF m n W g = 0 -> norm (fromage eta W g) = norm W.
Proof.
  intros Horth. unfold fromage. rewrite fro_scal, lars_norm_growth by exact Horth.
  rewrite Rabs_right by (apply Rle_ge, Rlt_le, prefactor_pos).
  rewrite <- Rmult_assoc, prefactor_sqrt. ring.
Qed.

(** W⁺ − W = (p−1) W + p ΔW *)
Lemma fromage_displacement :
  norm (msub (fromage eta W g) W)
  = norm (madd (mscal (prefactor eta - 1) W) (mscal (prefactor eta) (lars_change eta W g))).
Proof. apply fro_ext; intros. unfold msub, fromage, lars, madd, mscal. ring. Qed.

Theorem fromage_relative_size :
  0 < norm W ->
  norm (msub (fromage eta W g) W) / norm W
  = sqrt (2 * (1 - prefactor eta) * (1 + prefactor eta * eta * cos_angle W g)).
Proof.
  intros HW. set (p := prefactor eta). set (c := cos_angle W g).
  assert (Hsq : norm (msub (fromage eta W g) W) * norm (msub (fromage eta W g) W)
                = 2 * (1 - p) * (1 + p * eta * c) * (norm W * norm W)).
  { rewrite fromage_displacement, fro_madd_sqr. fold p.
    rewrite !fro_scal, lars_change_norm. unfold lars_change.
    rewrite dotF_sym, !dotF_scal_r, (dotF_sym _ _ _ W), !dotF_scal_r.
    replace (dotF m n W g) with (c * (norm W * norm g)) by (unfold c, cos_angle; field; lra).
    assert (Habs : forall a, Rabs a * Rabs a = a * a)
      by (intros; fold (Rsqr (Rabs a)); rewrite <- Rsqr_abs; reflexivity).
    replace (Rabs (p - 1) * norm W * (Rabs (p - 1) * norm W))
      with (Rabs (p - 1) * Rabs (p - 1) * (norm W * norm W)) by ring.
    replace (Rabs p * (eta * norm W) * (Rabs p * (eta * norm W)))
      with (Rabs p * Rabs p * (eta * eta) * (norm W * norm W)) by ring.
    rewrite !Habs. assert (Hp := prefactor_sqr eta). fold p in Hp.
    (* (1−p)² + p² η² = 2(1−p), as p²(1+η²) = 1 *)
    replace ((p - 1) * (p - 1)) with (p * p - 2 * p + 1) by ring.
    replace (p * p * (eta * eta)) with (1 - p * p) by lra.
    field. lra. }
  set (d := norm (msub (fromage eta W g) W)) in *.
  assert (Hd : 0 <= d) by apply fro_nonneg.
  assert (Hq : 0 <= d / norm W) by (apply quotient_nonneg; assumption).
  rewrite <- (sqrt_square (d / norm W)) by exact Hq. f_equal.
  replace (d / norm W * (d / norm W)) with (d * d / (norm W * norm W)) by (field; lra).
  rewrite Hsq. field. lra.
Qed.

(** ‖W⁺ − (W + ΔW)‖ = (1−p) ‖W + ΔW‖ <= η²/2 (1+η) ‖W‖ *)
Theorem fromage_relative_size_second_order :
  0 < norm W ->
  Rabs (norm (msub (fromage eta W g) W) / norm W - eta) <= eta * eta * (1 + eta) / 2.
Proof.
  intros HW. assert (Hp1 := prefactor_le1 eta). assert (Hp2 := prefactor_second_order eta).
  set (d := norm (msub (fromage eta W g) W)).
  assert (Hcorr : norm (mscal (prefactor eta - 1) (lars eta W g))
                  <= eta * eta * (1 + eta) / 2 * norm W).
  { rewrite fro_scal, Rabs_left1 by lra.
    apply Rle_trans with (eta * eta / 2 * ((1 + eta) * norm W)); [|right; field].
    apply Rmult_le_compat; [lra|apply fro_nonneg|lra|apply lars_norm_le]. }
  assert (Hup : d <= eta * norm W + eta * eta * (1 + eta) / 2 * norm W).
  { unfold d. rewrite <- lars_change_norm.
    rewrite (fro_ext m n _ (madd (lars_change eta W g) (mscal (prefactor eta - 1) (lars eta W g)))).
    - eapply Rle_trans; [apply fro_triangle|]. lra.
    - intros. unfold msub, fromage, lars, madd, mscal. ring. }
  assert (Hlow : eta * norm W <= d + eta * eta * (1 + eta) / 2 * norm W).
  { unfold d. rewrite <- lars_change_norm.
    rewrite (fro_ext m n (lars_change eta W g)
               (madd (msub (fromage eta W g) W)
                     (mscal (-1) (mscal (prefactor eta - 1) (lars eta W g))))).
    - eapply Rle_trans; [apply fro_triangle|].
      rewrite (fro_scal _ _ (-1)), (Rabs_left (-1)) by lra. lra.
    - intros. unfold msub, fromage, lars, madd, mscal. ring. }
  replace (d / norm W - eta) with ((d - eta * norm W) * / norm W) by (field; lra).
  rewrite Rabs_mult, Rabs_inv, (Rabs_right (norm W)) by lra.
  apply quotient_le; [exact HW|]. apply Rabs_le. lra.
Qed.

(** ** LARS is Fromage *)

Definition lars_reviewer (gamma_l be : R) : mat :=
  msub W (mscal gamma_l (madd (mscal be W) (mscal (norm W / ((1 + be) * norm g)) g))).

Definition lars_published (gamma_l be : R) : mat :=
  msub W (mscal (gamma_l * (norm W / (norm g + be * norm W))) (madd g (mscal be W))).

Definition decay_ratio : R := (sqrt (1 + eta * eta) - 1) / eta.   (* q *)

(** q satisfies p η q = 1 − p *)
Lemma decay_ratio_eq : 0 < eta -> prefactor eta * eta * decay_ratio = 1 - prefactor eta.
Proof.
  intros H. unfold decay_ratio.
  replace (prefactor eta * eta * ((sqrt (1 + eta * eta) - 1) / eta))
    with (prefactor eta * sqrt (1 + eta * eta) - prefactor eta) by (field; lra).
  rewrite prefactor_sqrt. reflexivity.
Qed.

Lemma decay_ratio_pos : 0 < eta -> 0 < decay_ratio.
Proof.
  intros H. unfold decay_ratio. apply Rdiv_lt_0_compat; [|exact H].
  assert (H1 := sqrt_sqr_1p eta). assert (H2 := sqrt_1p_ge1 eta). nra.
Qed.

Theorem fromage_lars_equivalence :
  0 < eta ->
  let be := (sqrt (1 + 4 * decay_ratio) - 1) / 2 in
  let gamma_l := (1 - prefactor eta) / be in
  forall i j, lars_reviewer gamma_l be i j = fromage eta W g i j.
Proof.
  intros H be gamma_l i j. assert (Hq := decay_ratio_pos H). assert (Eq := decay_ratio_eq H).
  assert (Hr : sqrt (1 + 4 * decay_ratio) * sqrt (1 + 4 * decay_ratio) = 1 + 4 * decay_ratio)
    by (apply sqrt_sqrt; lra).
  assert (Hr0 := sqrt_pos (1 + 4 * decay_ratio)).
  assert (Hbe : 0 < be) by (unfold be; nra).
  (* β is the positive root of β (1+β) = q *)
  assert (Ebe : be * (1 + be) = decay_ratio).
  { unfold be. set (r := sqrt (1 + 4 * decay_ratio)) in *.
    replace ((r - 1) / 2 * (1 + (r - 1) / 2)) with ((r * r - 1) / 4) by field. rewrite Hr. field. }
  assert (Hcoef : gamma_l / (1 + be) = prefactor eta * eta).
  { unfold gamma_l. rewrite <- Eq, <- Ebe. field. lra. }
  unfold lars_reviewer, fromage, lars, lars_change, msub, madd, mscal.
  replace (gamma_l * (be * W i j + norm W / ((1 + be) * norm g) * g i j))
    with (gamma_l * be * W i j + gamma_l / (1 + be) * (norm W / norm g * g i j)) by (field; lra).
  rewrite Hcoef. replace (gamma_l * be) with (1 - prefactor eta) by (unfold gamma_l; field; lra).
  ring.
Qed.

Theorem fromage_lars_published :
  0 < eta -> 0 < norm W ->
  let be := decay_ratio * (norm g / norm W) in
  let gamma_l := prefactor eta * eta * (1 + decay_ratio) in
  forall i j, lars_published gamma_l be i j = fromage eta W g i j.
Proof.
  intros H HW be gamma_l i j. assert (Hq := decay_ratio_pos H). assert (Eq := decay_ratio_eq H).
  unfold lars_published, fromage, lars, lars_change, msub, madd, mscal.
  replace (norm g + be * norm W) with ((1 + decay_ratio) * norm g) by (unfold be; field; lra).
  replace (norm W / ((1 + decay_ratio) * norm g)) with (/ (1 + decay_ratio) * (norm W / norm g))
    by (field; lra).
  replace (gamma_l * (/ (1 + decay_ratio) * (norm W / norm g)) * (g i j + be * W i j))
    with (prefactor eta * eta * (norm W / norm g * g i j)
          + prefactor eta * eta * decay_ratio * W i j) by (unfold gamma_l, be; field; lra).
  rewrite Eq. ring.
Qed.

(** ** Fixed points *)

Lemma fromage_moves_factor : 0 < eta -> 0 < prefactor eta * (1 + eta) - 1.
Proof.
  intros H. assert (H1 := sqrt_1p_lt eta H). assert (Hp := prefactor_pos eta).
  apply Rmult_lt_compat_l with (r := prefactor eta) in H1; [|exact Hp].
  rewrite prefactor_sqrt in H1. lra.
Qed.

Lemma fromage_moves_by :
  (prefactor eta * (1 + eta) - 1) * norm W <= norm (msub (fromage eta W g) W).
Proof.
  assert (Hp := prefactor_pos eta). assert (Hp1 := prefactor_le1 eta).
  assert (E : norm (mscal (prefactor eta) (lars_change eta W g)) = prefactor eta * eta * norm W).
  { rewrite fro_scal, Rabs_right, lars_change_norm by lra. ring. }
  rewrite (fro_ext m n _ (madd (msub (fromage eta W g) W) (mscal (1 - prefactor eta) W))) in E
    by (intros; unfold msub, fromage, lars, madd, mscal; ring).
  assert (T := fro_triangle m n (msub (fromage eta W g) W) (mscal (1 - prefactor eta) W)).
  rewrite E, fro_scal, Rabs_right in T by lra. lra.
Qed.

(** A Fromage step moves W ≠ 0, whatever the gradient. *)
Theorem fromage_moves :
  0 < eta -> 0 < norm W ->
  0 < (prefactor eta * (1 + eta) - 1) * norm W <= norm (msub (fromage eta W g) W).
Proof.
  intros H HW. split; [|exact fromage_moves_by].
  apply Rmult_lt_0_compat; [apply fromage_moves_factor, H|exact HW].
Qed.

Theorem fromage_fixed_point :
  0 < eta ->
  (forall i j, (i < m)%nat -> (j < n)%nat -> fromage eta W g i j = W i j) -> norm W = 0.
Proof.
  intros H Hfix. assert (Hq := fromage_moves_factor H). assert (Hm := fromage_moves_by).
  rewrite (fro_zero m n (msub _ _)) in Hm by (intros; unfold msub; rewrite Hfix by auto; ring).
  assert (HW := fro_nonneg m n W). nra.
Qed.

End Step.

(** ** Iterates *)

Theorem lars_norm_growth_iterates eta (W g : nat -> mat) t :
  0 <= eta -> (forall s, 0 < norm (g s)) -> (forall s, dotF m n (W s) (g s) = 0) ->
  (forall s, W (S s) = lars eta (W s) (g s)) ->
  norm (W t) = sqrt (1 + eta * eta) ^ t * norm (W 0%nat).
Proof.
  intros Heta Hg Horth Hstep. induction t as [|t IH]; simpl; [ring|].
  rewrite Hstep, lars_norm_growth, IH by auto. ring.
Qed.

Theorem fromage_norm_growth_iterates eta (W g : nat -> mat) t :
  0 <= eta -> (forall s, 0 < norm (g s)) -> (forall s, dotF m n (W s) (g s) = 0) ->
  (forall s, W (S s) = fromage eta (W s) (g s)) ->
  norm (W t) = norm (W 0%nat).
Proof.
  intros Heta Hg Horth Hstep. induction t as [|t IH]; [reflexivity|].
  rewrite Hstep, fromage_norm_growth by auto. exact IH.
Qed.

(** If W_t → W*, then ‖W_{t+1} − W_t‖ → 0, which is at least q‖W_t‖ → q‖W*‖. *)
Theorem fromage_limit eta (W g : nat -> mat) (Wlim : mat) :
  0 < eta -> (forall t, 0 < norm (g t)) ->
  (forall t, W (S t) = fromage eta (W t) (g t)) ->
  (forall eps, 0 < eps -> exists N, forall t, (N <= t)%nat -> norm (msub (W t) Wlim) < eps) ->
  norm Wlim = 0.
Proof.
  intros Heta Hg Hstep Hlim. set (q := prefactor eta * (1 + eta) - 1).
  assert (Hq : 0 < q) by (apply fromage_moves_factor, Heta).
  assert (Hpos := fro_nonneg m n Wlim).
  destruct (Req_dec (norm Wlim) 0) as [|Hne]; [assumption|exfalso].
  destruct (Hlim (q * norm Wlim / (2 + q))) as [N HN].
  { apply Rdiv_lt_0_compat; [apply Rmult_lt_0_compat|]; lra. }
  set (eps := q * norm Wlim / (2 + q)) in *.
  assert (Eeps : eps * (2 + q) = q * norm Wlim) by (unfold eps; field; lra).
  assert (H0 := HN N (le_n N)). assert (H1 := HN (S N) (le_S _ _ (le_n N))).
  assert (Hsym : norm (msub Wlim (W N)) = norm (msub (W N) Wlim)).
  { rewrite (fro_ext m n (msub Wlim (W N)) (mscal (-1) (msub (W N) Wlim)))
      by (intros; unfold msub, mscal; ring).
    rewrite fro_scal, Rabs_left by lra. ring. }
  assert (Hmove := fromage_moves_by eta (W N) (g N) (Rlt_le _ _ Heta) (Hg N)).
  fold q in Hmove. rewrite <- Hstep in Hmove.
  (* ‖W_{N+1} − W_N‖ < 2 ε *)
  rewrite (fro_ext m n (msub (W (S N)) (W N))
             (madd (msub (W (S N)) Wlim) (msub Wlim (W N)))) in Hmove
    by (intros; unfold msub, madd; ring).
  assert (T := fro_triangle m n (msub (W (S N)) Wlim) (msub Wlim (W N))). rewrite Hsym in T.
  (* ‖W_N‖ > ‖W*‖ − ε *)
  assert (T' := fro_triangle m n (msub Wlim (W N)) (W N)). rewrite Hsym in T'.
  rewrite (fro_ext m n (madd (msub Wlim (W N)) (W N)) Wlim) in T'
    by (intros; unfold msub, madd; ring).
  assert (Hlow : q * (norm Wlim - eps) <= q * norm (W N)) by (apply Rmult_le_compat_l; lra).
  lra.
Qed.

End OneLayer.
