(** * Descent: Lemma 1, condition (4) and Lemma 2

    A loss 𝓛 of L parameter groups W = (W_1, ..., W_L), a perturbation ΔW, gradients g_l,
    θ_l the angle between ΔW_l and −g_l(W), and the gradient breakdown
        b_l(t) = ‖g_l(W+tΔW) − g_l(W)‖_F / ‖g_l(W)‖_F.

    lemma1       𝓛(W+ΔW) − 𝓛(W) <= −Σ_l ‖g_l‖_F ‖ΔW_l‖_F [cos θ_l − max_{0<=t<=1} b_l(t)]
    lemma1.mean  the same with ∫₀¹ b_l(t) dt for the maximum: B_l(1) − B_l(0), B_l a primitive
    condition4   if b_l(t) < cos θ_l for all l and 0 <= t <= 1, then 𝓛(W+ΔW) < 𝓛(W)
    lemma2       if b_l(t) <= Π_k(1 + ‖tΔW_k‖_F/‖W_k‖_F) − 1 for all l and 0 <= t <= 1
                 (deep relative trust on the segment), and
                 ‖ΔW_l‖_F/‖W_l‖_F <= η < (1+cos θ_l)^{1/L} − 1 for all l, then 𝓛(W+ΔW) < 𝓛(W)
    lemma2.constant  the same with C·[Π_k(1+...) − 1] in the hypothesis, any C > 0, and
                 η < (1 + cos θ_l/C)^{1/L} − 1.
    lemma2.mean  the same trust, and C·([(1 + η)^{L+1} − 1]/((L+1)η) − 1) < cos θ_l, about twice the η.

    Correspondence.  g_l(V) is what backpropagation returns at V.  What is asked of it: 𝓛(W+tΔW) has
    the derivative Σ_l ⟨g_l(W+tΔW), ΔW_l⟩ at all inner points of the segment but a finite list
    [kinks] of them, where a pre-activation may pass a kink of φ; at those it is only continuous.
    That is so where the loss is differentiable (Fréchet, [gradient_at loss V gV]) with gradient g
    ([derivative_along]), and also for a pre-activation that stays on a kink, whatever slope is
    taken there.  g need not be continuous: the proof uses the mean value theorem in place of the
    integral, piece by piece ([mean_value_kinks]).  What is asked of b_l(t) is asked outside
    [kinks].  In [lemma1] the maximum is any number [M l] with b_l(t) <= M l: the maximum of a
    continuous b_l, or its supremum.  Where the loss is differentiable everywhere, [kinks] is empty
    and the continuity follows ([differentiable_continuous]).
    g_l(W) ≠ 0 is assumed, since the formula divides by ‖g_l(W)‖.  Where ΔW_l = 0 the angle is
    undefined; nothing is asked of such a layer, but in [condition4] and [lemma2] some
    ΔW_l must be non-zero, or the loss could not fall. *)

From Coq Require Import Reals Lra Lia List FunctionalExtensionality.
From DRT Require Import Sums Norms.
Open Scope R_scope.

(** cos of the angle between A and B *)
Definition cosine m n A B : R := dotF m n A B / (fro m n A * fro m n B).

(** W + H and W + tΔW, group by group *)
Definition padd (W H : nat -> mat) : nat -> mat := fun k => madd (W k) (H k).
Definition along (W D : nat -> mat) (t : R) : nat -> mat := padd W (fun k => mscal t (D k)).

(** A mean value inequality for functions with finitely many kinks: the steepest piece. *)
Lemma mean_value_kinks (F F' : R -> R) (kinks : list R) : forall a b, a < b ->
  (forall t, a <= t <= b -> continuity_pt F t) ->
  (forall t, a < t < b -> ~ In t kinks -> derivable_pt_lim F t (F' t)) ->
  exists t, a < t < b /\ ~ In t kinks /\ F b - F a <= F' t * (b - a).
Proof.
  induction kinks as [|p kinks IH]; intros a b Hab Hc Hd.
  - assert (Hd' : forall c, a < c < b -> derivable_pt_lim F c (F' c))
      by (intros c Hin; apply Hd; [exact Hin|intros []]).
    set (pr := fun c (Hin : a < c < b) => exist (derivable_pt_abs F c) (F' c) (Hd' c Hin)).
    destruct (MVT F id a b pr (fun c _ => derivable_pt_id c) Hab Hc
                (fun c _ => derivable_continuous_pt id c (derivable_pt_id c))) as [c [Hin E]].
    exists c. split; [exact Hin|]. split; [intros []|].
    rewrite derive_pt_id, (derive_pt_eq_0 F c (F' c) (pr c Hin) (Hd' c Hin)) in E.
    unfold id in E. lra.
  - assert (Hpiece : forall a' b', a <= a' -> a' < b' -> b' <= b -> (p <= a' \/ b' <= p) ->
              exists t, a' < t < b' /\ ~ In t (p :: kinks) /\ F b' - F a' <= F' t * (b' - a')).
    { intros a' b' Ha Hab' Hb Hp.
      destruct (IH a' b' Hab') as [t [Ht [Hk H]]].
      - intros; apply Hc; lra.
      - intros t Ht Hk. apply Hd; [lra|]. intros [E|E]; [lra|contradiction].
      - exists t. split; [exact Ht|]. split; [|exact H]. intros [E|E]; [lra|contradiction]. }
    destruct (Rle_or_lt p a); [apply Hpiece; lra|].
    destruct (Rle_or_lt b p); [apply Hpiece; lra|].
    destruct (Hpiece a p) as [t1 [H1 [K1 E1]]]; try lra.
    destruct (Hpiece p b) as [t2 [H2 [K2 E2]]]; try lra.
    destruct (Rle_or_lt (F' t1) (F' t2)) as [Hle|Hlt].
    + exists t2. split; [lra|]. split; [exact K2|].
      assert (F' t1 * (p - a) <= F' t2 * (p - a)) by (apply Rmult_le_compat_r; lra). lra.
    + exists t1. split; [lra|]. split; [exact K1|].
      assert (F' t2 * (b - p) <= F' t1 * (b - p)) by (apply Rmult_le_compat_r; lra). lra.
Qed.

Section Loss.

(** L groups, the k-th of size m k × n k. *)
Variables (L : nat) (m n : nat -> nat).
Variables (loss : (nat -> mat) -> R).

Definition pdot (A B : nat -> mat) : R := sum L (fun k => dotF (m k) (n k) (A k) (B k)).
Definition psize (H : nat -> mat) : R := sum L (fun k => fro (m k) (n k) (H k)).

Definition gradient_at (V gV : nat -> mat) : Prop :=
  forall eps, 0 < eps -> exists r, 0 < r /\ forall H, psize H < r ->
    Rabs (loss (padd V H) - loss V - pdot gV H) <= eps * psize H.

Lemma psize_nonneg H : 0 <= psize H.
Proof. apply sum_nonneg; intros; apply fro_nonneg. Qed.

Lemma psize_scal t D : psize (fun k => mscal t (D k)) = Rabs t * psize D.
Proof. unfold psize. rewrite <- sum_scal. apply sum_ext; intros; apply fro_scal. Qed.

Lemma pdot_scal t A D : pdot A (fun k => mscal t (D k)) = t * pdot A D.
Proof. unfold pdot. rewrite <- sum_scal. apply sum_ext; intros; apply dotF_scal_r. Qed.

Lemma along_0 W D : along W D 0 = W.
Proof. repeat (apply functional_extensionality; intro). unfold along, padd, madd, mscal. ring. Qed.

Lemma along_1 W D : along W D 1 = padd W D.
Proof. repeat (apply functional_extensionality; intro). unfold along, padd, madd, mscal. ring. Qed.

Lemma along_plus W D t h : along W D (t + h) = padd (along W D t) (fun k => mscal h (D k)).
Proof. repeat (apply functional_extensionality; intro). unfold along, padd, madd, mscal. ring. Qed.

(** Chain rule: d/dt 𝓛(W+tΔW) = Σ_l ⟨g_l(W+tΔW), ΔW_l⟩ *)
Lemma derivative_along W D t gV :
  gradient_at (along W D t) gV ->
  derivable_pt_lim (fun s => loss (along W D s)) t (pdot gV D).
Proof.
  intros Hg eps Heps. assert (HS := psize_nonneg D). set (S := psize D) in *.
  destruct (Hg (eps / (2 * (S + 1)))) as [r [Hr H]]; [apply Rdiv_lt_0_compat; lra|].
  assert (Hd : 0 < r / (S + 1)) by (apply Rdiv_lt_0_compat; lra).
  exists (mkposreal _ Hd). intros h Hh Hhr; simpl in Hhr.
  assert (Hh' := Rabs_pos_lt h Hh).
  specialize (H (fun k => mscal h (D k))). rewrite psize_scal, pdot_scal, <- along_plus in H.
  fold S in H.
  assert (Hsmall : Rabs h * S < r).
  { apply Rle_lt_trans with (Rabs h * (S + 1)); [apply Rmult_le_compat_l; lra|].
    replace r with (r / (S + 1) * (S + 1)) by (field; lra). apply Rmult_lt_compat_r; lra. }
  specialize (H Hsmall).
  replace ((loss (along W D (t + h)) - loss (along W D t)) / h - pdot gV D)
    with ((loss (along W D (t + h)) - loss (along W D t) - h * pdot gV D) * / h) by (field; auto).
  rewrite Rabs_mult, Rabs_inv.
  apply Rmult_lt_reg_r with (Rabs h); [exact Hh'|]. rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  eapply Rle_lt_trans; [exact H|].
  replace (eps / (2 * (S + 1)) * (Rabs h * S)) with (eps * Rabs h * (S / (2 * (S + 1))))
    by (field; lra).
  rewrite <- (Rmult_1_r (eps * Rabs h)) at 2. apply Rmult_lt_compat_l.
  - apply Rmult_lt_0_compat; assumption.
  - apply Rmult_lt_reg_r with (2 * (S + 1)); [lra|].
    unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra.
Qed.

Lemma differentiable_continuous W D (g : (nat -> mat) -> (nat -> mat)) :
  (forall t, 0 <= t <= 1 -> gradient_at (along W D t) (g (along W D t))) ->
  forall t, 0 <= t <= 1 -> continuity_pt (fun s => loss (along W D s)) t.
Proof.
  intros H t Ht. apply derivable_continuous_pt.
  exact (exist _ _ (derivative_along W D t _ (H t Ht))).
Qed.

Section Segment.

(** The point W, the perturbation D = ΔW, and the gradient g V at V. *)
Variables (W D : nat -> mat) (g : (nat -> mat) -> (nat -> mat)).
Variable kinks : list R.
Hypothesis Hcont : forall t, 0 <= t <= 1 -> continuity_pt (fun s => loss (along W D s)) t.
Hypothesis Hg : forall t, 0 < t < 1 -> ~ In t kinks ->
  derivable_pt_lim (fun s => loss (along W D s)) t (pdot (g (along W D t)) D).
Hypothesis Hg0 : forall l, (l < L)%nat -> 0 < fro (m l) (n l) (g W l).

Definition cos_theta l : R := cosine (m l) (n l) (D l) (mscal (-1) (g W l)).
Definition breakdown l t : R :=
  fro (m l) (n l) (msub (g (along W D t) l) (g W l)) / fro (m l) (n l) (g W l).

(** ‖g_l‖ ‖ΔW_l‖ cos θ_l = −⟨g_l, ΔW_l⟩, also when ΔW_l = 0 *)
Lemma cos_theta_eq l : (l < L)%nat ->
  fro (m l) (n l) (g W l) * fro (m l) (n l) (D l) * cos_theta l
  = - dotF (m l) (n l) (g W l) (D l).
Proof.
  intros Hl. assert (Hpos := Hg0 l Hl). unfold cos_theta, cosine.
  rewrite fro_scal, dotF_scal_r, Rabs_left, (dotF_sym _ _ (D l)) by lra.
  destruct (Req_dec (fro (m l) (n l) (D l)) 0) as [Hz|Hz]; [|field; lra].
  assert (H := cauchy_schwarz_fro (m l) (n l) (g W l) (D l)). rewrite Hz, Rmult_0_r in H.
  assert (Hd : dotF (m l) (n l) (g W l) (D l) = 0).
  { apply Rle_antisym.
    - eapply Rle_trans; [apply Rle_abs|exact H].
    - assert (H' := Rle_abs (- dotF (m l) (n l) (g W l) (D l))). rewrite Rabs_Ropp in H'. lra. }
  rewrite Hd, Hz. ring.
Qed.

(** The slope of the loss at a point of the segment. *)
Lemma slope_bound t :
  pdot (g (along W D t)) D
  <= sum L (fun l => - (fro (m l) (n l) (g W l) * fro (m l) (n l) (D l)
                        * (cos_theta l - breakdown l t))).
Proof.
  apply sum_le; intros l Hl. assert (Hpos := Hg0 l Hl).
  rewrite Rmult_minus_distr_l, cos_theta_eq by exact Hl.
  set (gt := g (along W D t) l). set (g0 := g W l) in *. unfold breakdown. fold gt g0.
  replace (fro (m l) (n l) g0 * fro (m l) (n l) (D l)
           * (fro (m l) (n l) (msub gt g0) / fro (m l) (n l) g0))
    with (fro (m l) (n l) (msub gt g0) * fro (m l) (n l) (D l)) by (field; lra).
  assert (H := cauchy_schwarz_fro (m l) (n l) (msub gt g0) (D l)).
  assert (H' := Rle_abs (dotF (m l) (n l) (msub gt g0) (D l))).
  assert (Esub : dotF (m l) (n l) (msub gt g0) (D l)
                 = dotF (m l) (n l) gt (D l) - dotF (m l) (n l) g0 (D l)).
  { unfold dotF, dot, col, msub. rewrite <- sum_minus. apply sum_ext; intros.
    rewrite <- sum_minus. apply sum_ext; intros; ring. }
  lra.
Qed.

(** Lemma 1 at one point of the segment. *)
Lemma descent_at_mean_value :
  exists t, 0 < t < 1 /\ ~ In t kinks /\
    loss (padd W D) - loss W
    <= sum L (fun l => - (fro (m l) (n l) (g W l) * fro (m l) (n l) (D l)
                          * (cos_theta l - breakdown l t))).
Proof.
  destruct (mean_value_kinks (fun t => loss (along W D t)) (fun t => pdot (g (along W D t)) D)
              kinks 0 1 ltac:(lra) Hcont Hg) as [t [Ht [Hk E]]].
  rewrite along_1, along_0, Rminus_0_r, Rmult_1_r in E.
  exists t. split; [exact Ht|]. split; [exact Hk|].
  eapply Rle_trans; [exact E|apply slope_bound].
Qed.

Theorem lemma1 (M : nat -> R) :
  (forall l t, (l < L)%nat -> 0 < fro (m l) (n l) (D l) -> 0 < t < 1 -> ~ In t kinks ->
     breakdown l t <= M l) ->
  loss (padd W D) - loss W
  <= - sum L (fun l => fro (m l) (n l) (g W l) * fro (m l) (n l) (D l) * (cos_theta l - M l)).
Proof.
  intros HM. destruct descent_at_mean_value as [t [Ht [Hk H]]].
  eapply Rle_trans; [exact H|].
  replace (- sum L _) with (sum L (fun l => (-1) * (fro (m l) (n l) (g W l)
             * fro (m l) (n l) (D l) * (cos_theta l - M l)))) by (rewrite sum_scal; ring).
  apply sum_le; intros l Hl. assert (HD := fro_nonneg (m l) (n l) (D l)).
  destruct (Req_dec (fro (m l) (n l) (D l)) 0) as [Hz|Hz]; [rewrite Hz; lra|].
  assert (Hb := HM l t Hl ltac:(lra) Ht Hk).
  assert (Hp : 0 <= fro (m l) (n l) (g W l) * fro (m l) (n l) (D l))
    by (apply Rmult_le_pos; apply fro_nonneg).
  nra.
Qed.

Theorem condition4 :
  (forall l t, (l < L)%nat -> 0 < fro (m l) (n l) (D l) -> 0 < t < 1 -> ~ In t kinks ->
     breakdown l t < cos_theta l) ->
  (exists l, (l < L)%nat /\ 0 < fro (m l) (n l) (D l)) ->
  loss (padd W D) < loss W.
Proof.
  intros Hc [l0 [Hl0 HD0]]. destruct descent_at_mean_value as [t [Ht [Hk H]]].
  assert (Hneg : sum L (fun l => - (fro (m l) (n l) (g W l) * fro (m l) (n l) (D l)
                          * (cos_theta l - breakdown l t))) < sum L (fun _ => 0)).
  { assert (Hterm : forall l, (l < L)%nat -> 0 < fro (m l) (n l) (D l) ->
              0 < fro (m l) (n l) (g W l) * fro (m l) (n l) (D l)
                  * (cos_theta l - breakdown l t)).
    { intros l Hl HDl. assert (Hb := Hc l t Hl HDl Ht Hk). assert (Hpos := Hg0 l Hl).
      repeat apply Rmult_lt_0_compat; lra. }
    apply sum_lt.
    - intros l Hl. destruct (Req_dec (fro (m l) (n l) (D l)) 0) as [Hz|Hz]; [rewrite Hz; lra|].
      assert (HDl := fro_nonneg (m l) (n l) (D l)). assert (Ht' := Hterm l Hl ltac:(lra)). lra.
    - exists l0. split; [exact Hl0|]. assert (Ht' := Hterm l0 Hl0 HD0). lra. }
  rewrite sum_const in Hneg. lra.
Qed.

(** ** The mean over the segment in place of the maximum

    B_l is any function that grows at least as fast as the breakdown b_l: a primitive of it, so that
    B_l(1) − B_l(0) is its mean over the segment; with B_l(t) = M_l t this is Lemma 1. *)
Lemma sum_derivative (f f' : nat -> R -> R) t N :
  (forall l, (l < N)%nat -> derivable_pt_lim (f l) t (f' l t)) ->
  derivable_pt_lim (fun s => sum N (fun l => f l s)) t (sum N (fun l => f' l t)).
Proof.
  induction N as [|N IH]; intros H; simpl.
  - apply (derivable_pt_lim_const 0).
  - apply (derivable_pt_lim_plus (fun s => sum N (fun l => f l s)) (f N)); [apply IH; auto|apply H; lia].
Qed.

Lemma sum_continuous (f : nat -> R -> R) t N :
  (forall l, (l < N)%nat -> continuity_pt (f l) t) ->
  continuity_pt (fun s => sum N (fun l => f l s)) t.
Proof.
  induction N as [|N IH]; intros H; simpl.
  - apply (continuity_pt_const (fun _ => 0)). intros ? ?; reflexivity.
  - apply (continuity_pt_plus (fun s => sum N (fun l => f l s)) (f N)); [apply IH; auto|apply H; lia].
Qed.

Theorem lemma1_mean (B B' : nat -> R -> R) :
  (forall l t, (l < L)%nat -> 0 <= t <= 1 -> continuity_pt (B l) t) ->
  (forall l t, (l < L)%nat -> 0 < t < 1 -> ~ In t kinks -> derivable_pt_lim (B l) t (B' l t)) ->
  (forall l t, (l < L)%nat -> 0 < fro (m l) (n l) (D l) -> 0 < t < 1 -> ~ In t kinks ->
     breakdown l t <= B' l t) ->
  loss (padd W D) - loss W
  <= - sum L (fun l => fro (m l) (n l) (g W l) * fro (m l) (n l) (D l)
                       * (cos_theta l - (B l 1 - B l 0))).
Proof.
  intros HBc HBd HB.
  set (lever := fun l => fro (m l) (n l) (g W l) * fro (m l) (n l) (D l)).
  set (F := fun t => loss (along W D t) - sum L (fun l => mult_real_fct (lever l) (B l) t)).
  set (F' := fun t => pdot (g (along W D t)) D - sum L (fun l => lever l * B' l t)).
  destruct (mean_value_kinks F F' kinks 0 1 ltac:(lra)) as [t [Ht [Hk E]]].
  - intros t Ht. apply (continuity_pt_minus (fun s => loss (along W D s))); [apply Hcont, Ht|].
    apply sum_continuous; intros l Hl. apply continuity_pt_scal, HBc; assumption.
  - intros t Ht Hk. apply (derivable_pt_lim_minus (fun s => loss (along W D s))); [apply Hg; assumption|].
    apply (sum_derivative _ (fun l s => lever l * B' l s)); intros l Hl.
    apply derivable_pt_lim_scal, HBd; assumption.
  - unfold F, F', mult_real_fct in E. rewrite along_1, along_0 in E.
    assert (Hslope := slope_bound t).
    assert (Hterm : sum L (fun l => - (lever l * (cos_theta l - breakdown l t)))
                    <= sum L (fun l => lever l * B' l t - lever l * cos_theta l)).
    { apply sum_le; intros l Hl. assert (HD := fro_nonneg (m l) (n l) (D l)).
      assert (Hp : 0 <= lever l) by (apply Rmult_le_pos; apply fro_nonneg).
      destruct (Req_dec (fro (m l) (n l) (D l)) 0) as [Hz|Hz].
      - unfold lever. rewrite Hz. lra.
      - assert (H := Rmult_le_compat_l (lever l) _ _ Hp (HB l t Hl ltac:(lra) Ht Hk)). lra. }
    rewrite sum_minus in Hterm.
    assert (Esum : sum L (fun l => lever l * (cos_theta l - (B l 1 - B l 0)))
                   = sum L (fun l => lever l * cos_theta l) - sum L (fun l => lever l * B l 1)
                     + sum L (fun l => lever l * B l 0)).
    { rewrite <- sum_minus, <- sum_plus. apply sum_ext; intros; ring. }
    unfold lever in *. rewrite Esum. lra.
Qed.

(** ** Lemma 2 *)

(** η < (1 + c)^{1/L} − 1 gives (1 + η)^L − 1 < c.  (Coq puts x^y = 1 for x <= 0; then there is
    no such η >= 0.) *)
Lemma root_bound eta c :
  (0 < L)%nat -> 0 <= eta -> eta < Rpower (1 + c) (/ INR L) - 1 -> (1 + eta) ^ L - 1 < c.
Proof.
  intros HL Heta H. assert (HI : 0 < INR L) by (apply lt_0_INR, HL).
  assert (Hc : 0 < 1 + c).
  { destruct (Rlt_dec 0 (1 + c)) as [|Hneg]; [assumption|exfalso].
    unfold Rpower, ln in H. destruct (Rlt_dec 0 (1 + c)); [contradiction|].
    rewrite Rmult_0_r, exp_0 in H. lra. }
  set (r := Rpower (1 + c) (/ INR L)) in *.
  assert (E : r ^ L = 1 + c).
  { unfold r. rewrite <- Rpower_pow by apply exp_pos.
    rewrite Rpower_mult, Rinv_l by lra. apply Rpower_1, Hc. }
  assert (H' := pow_lt_pow L (1 + eta) r HL ltac:(lra)). lra.
Qed.

Definition deep_relative_trust (C : R) : Prop :=
  forall l t, (l < L)%nat -> 0 < t < 1 -> ~ In t kinks ->
    breakdown l t
    <= C * (prod L (fun k => 1 + fro (m k) (n k) (mscal t (D k)) / fro (m k) (n k) (W k)) - 1).

Lemma product_bound eta t :
  0 < t < 1 ->
  (forall k, (k < L)%nat -> 0 < fro (m k) (n k) (W k)) ->
  (forall k, (k < L)%nat -> fro (m k) (n k) (D k) / fro (m k) (n k) (W k) <= eta) ->
  prod L (fun k => 1 + fro (m k) (n k) (mscal t (D k)) / fro (m k) (n k) (W k))
  <= (1 + t * eta) ^ L.
Proof.
  intros Ht HW Hdelta. rewrite <- prod_const. apply prod_le; intros k Hk.
  rewrite fro_scal, Rabs_right by lra. unfold Rdiv. rewrite Rmult_assoc.
  fold (fro (m k) (n k) (D k) / fro (m k) (n k) (W k)).
  assert (H0 := quotient_nonneg _ _ (fro_nonneg (m k) (n k) (D k)) (HW k Hk)).
  assert (H1 := Hdelta k Hk).
  set (q := fro (m k) (n k) (D k) / fro (m k) (n k) (W k)) in *.
  assert (0 <= t * q) by (apply Rmult_le_pos; lra).
  assert (t * q <= t * eta) by (apply Rmult_le_compat_l; lra). lra.
Qed.

Theorem lemma2_constant C eta :
  0 < C -> deep_relative_trust C ->
  (forall k, (k < L)%nat -> 0 < fro (m k) (n k) (W k)) ->
  (forall k, (k < L)%nat -> fro (m k) (n k) (D k) / fro (m k) (n k) (W k) <= eta) ->
  (forall l, (l < L)%nat -> 0 < fro (m l) (n l) (D l) ->
     eta < Rpower (1 + cos_theta l / C) (/ INR L) - 1) ->
  (exists l, (l < L)%nat /\ 0 < fro (m l) (n l) (D l)) ->
  loss (padd W D) < loss W.
Proof.
  intros HC Htrust HW Hdelta Heta Hmove. apply condition4; [|exact Hmove].
  intros l t Hl HDl Ht Hkink. eapply Rle_lt_trans; [apply Htrust; assumption|].
  assert (Hratio : forall k, (k < L)%nat ->
            0 <= fro (m k) (n k) (D k) / fro (m k) (n k) (W k)).
  { intros k Hk. apply quotient_nonneg; [apply fro_nonneg|apply HW, Hk]. }
  assert (Heta0 : 0 <= eta) by (eapply Rle_trans; [apply (Hratio l Hl)|apply Hdelta, Hl]).
  assert (Hprod := product_bound eta t Ht HW Hdelta).
  assert (Hgrow : (1 + t * eta) ^ L <= (1 + eta) ^ L).
  { apply pow_incr. split; [|apply Rplus_le_compat_l]; nra. }
  assert (Hroot := root_bound eta (cos_theta l / C) ltac:(lia) Heta0 (Heta l Hl HDl)).
  apply Rle_lt_trans with (C * ((1 + eta) ^ L - 1)); [apply Rmult_le_compat_l; lra|].
  replace (cos_theta l) with (C * (cos_theta l / C)) by (field; lra).
  apply Rmult_lt_compat_l; lra.
Qed.

(** Deep relative trust as the paper states it has C = 1. *)
Theorem lemma2 eta :
  deep_relative_trust 1 ->
  (forall k, (k < L)%nat -> 0 < fro (m k) (n k) (W k)) ->
  (forall k, (k < L)%nat -> fro (m k) (n k) (D k) / fro (m k) (n k) (W k) <= eta) ->
  (forall l, (l < L)%nat -> 0 < fro (m l) (n l) (D l) ->
     eta < Rpower (1 + cos_theta l) (/ INR L) - 1) ->
  (exists l, (l < L)%nat /\ 0 < fro (m l) (n l) (D l)) ->
  loss (padd W D) < loss W.
Proof.
  intros Htrust HW Hdelta Heta. apply lemma2_constant with 1 eta; auto; [lra|].
  intros l Hl HDl. replace (cos_theta l / 1) with (cos_theta l) by field. auto.
Qed.

(** ** Lemma 2 with the mean over the segment

    Trust says more than condition (4) uses: the change grows from 0, and what counts is its mean,
    ∫₀¹ C[(1 + tη)^L − 1] dt = C·A(1),  A(t) = [(1 + tη)^{L+1} − 1]/((L+1)η) − t. *)
Definition growth (eta t : R) : R := ((1 + t * eta) ^ S L - 1) / (INR (S L) * eta) - t.

Lemma growth_derivative eta t :
  0 < eta -> derivable_pt_lim (growth eta) t ((1 + t * eta) ^ L - 1).
Proof.
  intros Heta. assert (HI : 0 < INR (S L)) by (apply lt_0_INR; lia).
  assert (Hline : forall s, derivable_pt_lim (fun u => 1 + u * eta) s eta).
  { intros s eps Heps. exists (mkposreal 1 Rlt_0_1). intros h Hh _.
    replace ((1 + (s + h) * eta - (1 + s * eta)) / h - eta) with 0 by (field; exact Hh).
    rewrite Rabs_R0. exact Heps. }
  assert (Hpow := derivable_pt_lim_comp (fun u => 1 + u * eta) (fun y => y ^ S L) t _ _
                    (Hline t) (derivable_pt_lim_pow (1 + t * eta) (S L))).
  assert (H := derivable_pt_lim_minus _ id t _ _
                 (derivable_pt_lim_scal _ (/ (INR (S L) * eta)) t _
                    (derivable_pt_lim_minus _ (fct_cte 1) t _ _ Hpow (derivable_pt_lim_const 1 t)))
                 (derivable_pt_lim_id t)).
  replace ((1 + t * eta) ^ L - 1)
    with (/ (INR (S L) * eta) * (INR (S L) * (1 + t * eta) ^ pred (S L) * eta - 0) - 1)
    by (simpl pred; field; lra).
  intros eps Heps. destruct (H eps Heps) as [d Hd]. exists d. intros h Hh Hhd.
  specialize (Hd h Hh Hhd).
  unfold growth, minus_fct, mult_real_fct, comp, fct_cte, id, Rdiv in *.
  rewrite !(Rmult_comm _ (/ (INR (S L) * eta))). exact Hd.
Qed.

Theorem lemma2_mean C eta :
  0 < C -> deep_relative_trust C ->
  (forall k, (k < L)%nat -> 0 < fro (m k) (n k) (W k)) ->
  (forall k, (k < L)%nat -> fro (m k) (n k) (D k) / fro (m k) (n k) (W k) <= eta) ->
  (forall l, (l < L)%nat -> 0 < fro (m l) (n l) (D l) -> C * growth eta 1 < cos_theta l) ->
  (exists l, (l < L)%nat /\ 0 < fro (m l) (n l) (D l)) ->
  loss (padd W D) < loss W.
Proof.
  intros HC Htrust HW Hdelta Hmean [l0 [Hl0 HD0]].
  assert (Heta : 0 < eta).
  { apply Rlt_le_trans with (2 := Hdelta l0 Hl0). apply Rdiv_lt_0_compat; [exact HD0|apply HW, Hl0]. }
  assert (H := lemma1_mean (fun _ => mult_real_fct C (growth eta))
                 (fun _ t => C * ((1 + t * eta) ^ L - 1))).
  unfold mult_real_fct in H. eassert (Hfall := H _ _ _). clear H.
  assert (E0 : growth eta 0 = 0).
  { unfold growth. rewrite Rmult_0_l, Rplus_0_r, pow1. unfold Rdiv. ring. }
  rewrite E0, Rmult_0_r, Rminus_0_r in Hfall.
  assert (Hneg : sum L (fun _ => 0)
                 < sum L (fun l => fro (m l) (n l) (g W l) * fro (m l) (n l) (D l)
                                   * (cos_theta l - C * growth eta 1))).
  { assert (Hterm : forall l, (l < L)%nat -> 0 < fro (m l) (n l) (D l) ->
              0 < fro (m l) (n l) (g W l) * fro (m l) (n l) (D l)
                  * (cos_theta l - C * growth eta 1)).
    { intros l Hl HDl. assert (Hm := Hmean l Hl HDl). assert (Hpos := Hg0 l Hl).
      repeat apply Rmult_lt_0_compat; lra. }
    apply sum_lt.
    - intros l Hl. destruct (Req_dec (fro (m l) (n l) (D l)) 0) as [Hz|Hz]; [rewrite Hz; lra|].
      assert (HDl := fro_nonneg (m l) (n l) (D l)). apply Rlt_le, Hterm; [exact Hl|lra].
    - exists l0. split; [exact Hl0|apply Hterm; assumption]. }
  rewrite sum_const in Hneg. lra.
  Unshelve.
  - intros l t _ Ht. apply derivable_continuous_pt.
    exact (exist _ _ (derivable_pt_lim_scal _ C t _ (growth_derivative eta t Heta))).
  - intros l t _ Ht _. exact (derivable_pt_lim_scal _ C t _ (growth_derivative eta t Heta)).
  - intros l t Hl _ Ht Hk. eapply Rle_trans; [apply Htrust; assumption|].
    apply Rmult_le_compat_l; [lra|]. assert (Hp := product_bound eta t Ht HW Hdelta). lra.
Qed.

End Segment.
End Loss.
