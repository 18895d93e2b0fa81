(** * The transmission condition on the nonlinearity

    [transmits α β φ] is the paper's condition, for all real u and v:
        α|u| <= |φ(u)| <= β|u|   and   α|u − v| <= |φ(u) − φ(v)| <= β|u − v|.

    For α > 0 this file proves what the paper takes from it for Jacobians: φ is strictly monotone,
    and wherever φ' exists, α <= |φ'| <= β with one sign σ = ±1 for the whole function
    ([derivatives_have_one_sign]).  The Jacobian bounds ask no more than that of the slopes
    ([slope α β σ s] : α <= σ s <= β), so they also cover any choice of slopes at kinks. *)

From Coq Require Import Reals Lra Lia.
From DRT Require Import Sums Norms.
Open Scope R_scope.

Definition transmits (al be : R) (phi : R -> R) : Prop :=
  (forall u, al * Rabs u <= Rabs (phi u) <= be * Rabs u) /\
  (forall u v, al * Rabs (u - v) <= Rabs (phi u - phi v) <= be * Rabs (u - v)).

Definition is_sign (sg : R) : Prop := sg = 1 \/ sg = -1.
Definition slope (al be sg s : R) : Prop := al <= sg * s <= be.

(** φ applied to every entry. *)
Definition vphi (phi : R -> R) (y : vec) : vec := fun i => phi (y i).

Lemma transmits_le al be phi : transmits al be phi -> al <= be.
Proof. intros [H _]. specialize (H 1). rewrite Rabs_R1 in H. lra. Qed.

Lemma transmits_weaken al be al' be' phi :
  al' <= al -> be <= be' -> transmits al be phi -> transmits al' be' phi.
Proof.
  intros Ha Hb [H1 H2]. split; intros u; [|intros v].
  - assert (H := H1 u). assert (Hu := Rabs_pos u).
    assert (al' * Rabs u <= al * Rabs u) by (apply Rmult_le_compat_r; assumption).
    assert (be * Rabs u <= be' * Rabs u) by (apply Rmult_le_compat_r; assumption). lra.
  - assert (H := H2 u v). assert (Hu := Rabs_pos (u - v)).
    assert (al' * Rabs (u - v) <= al * Rabs (u - v)) by (apply Rmult_le_compat_r; assumption).
    assert (be * Rabs (u - v) <= be' * Rabs (u - v)) by (apply Rmult_le_compat_r; assumption). lra.
Qed.

(** −φ transmits what φ does. *)
Lemma transmits_opp al be phi : transmits al be phi -> transmits al be (fun u => - phi u).
Proof.
  intros [H1 H2]. split; [intros u; rewrite Rabs_Ropp; apply H1|]. intros u v.
  replace (- phi u - - phi v) with (- (phi u - phi v)) by ring. rewrite Rabs_Ropp. apply H2.
Qed.

Lemma vphi_ge al be phi n y :
  0 <= al -> transmits al be phi -> al * nrm n y <= nrm n (vphi phi y).
Proof. intros Hal [H _]. apply nrm_ge_scal; [exact Hal|]; intros; apply H. Qed.

Lemma vphi_le al be phi n y :
  0 <= be -> transmits al be phi -> nrm n (vphi phi y) <= be * nrm n y.
Proof. intros Hbe [H _]. apply nrm_le_scal; [exact Hbe|]; intros; apply H. Qed.

Lemma vphi_lipschitz al be phi n y z :
  0 <= be -> transmits al be phi ->
  nrm n (vsub (vphi phi y) (vphi phi z)) <= be * nrm n (vsub y z).
Proof. intros Hbe [_ H]. apply nrm_le_scal; [exact Hbe|]; intros; apply H. Qed.

(** ** What a slope between α and β does to absolute values *)

Lemma abs_sign sg u : is_sign sg -> Rabs (sg * u) = Rabs u.
Proof.
  intros [->| ->]; [rewrite Rmult_1_l; reflexivity|].
  replace (-1 * u) with (- u) by ring. apply Rabs_Ropp.
Qed.

Lemma slope_ge al be sg s u : is_sign sg -> slope al be sg s -> al * Rabs u <= Rabs (s * u).
Proof.
  intros Hsg [H _]. rewrite Rabs_mult. apply Rmult_le_compat_r; [apply Rabs_pos|].
  eapply Rle_trans; [exact H|]. rewrite <- (abs_sign sg s Hsg). apply Rle_abs.
Qed.

Lemma slope_le al be sg s u :
  0 <= al -> is_sign sg -> slope al be sg s -> Rabs (s * u) <= be * Rabs u.
Proof.
  intros Hal Hsg H. rewrite Rabs_mult. apply Rmult_le_compat_r; [apply Rabs_pos|].
  unfold slope in H. apply Rabs_le. destruct Hsg as [->| ->]; lra.
Qed.

Lemma slope_diff al be sg s t u :
  is_sign sg -> slope al be sg s -> slope al be sg t -> Rabs ((t - s) * u) <= (be - al) * Rabs u.
Proof.
  intros Hsg Hs Ht. rewrite Rabs_mult. apply Rmult_le_compat_r; [apply Rabs_pos|].
  unfold slope in *. apply Rabs_le. destruct Hsg as [->| ->]; lra.
Qed.

(** ** φ is monotone, and its derivatives are slopes *)

Section Derivatives.

Variables (phi : R -> R) (al be : R).
Hypothesis Hal : 0 < al.
Hypothesis Hphi : transmits al be phi.

Lemma phi_continuous : continuity phi.
Proof.
  intros x eps Heps. destruct Hphi as [_ H]. assert (Hab := transmits_le al be phi Hphi).
  exists (eps / be). split; [apply Rdiv_lt_0_compat; lra|].
  intros y [_ Hy]. simpl in *. unfold R_dist in *.
  eapply Rle_lt_trans; [apply H|].
  replace eps with (be * (eps / be)) by (field; lra). apply Rmult_lt_compat_l; lra.
Qed.

Lemma phi_injective u v : phi u = phi v -> u = v.
Proof.
  intros E. destruct Hphi as [_ H]. destruct (H u v) as [H' _].
  rewrite E in H'. replace (phi v - phi v) with 0 in H' by ring. rewrite Rabs_R0 in H'.
  destruct (Req_dec u v) as [|Hne]; [assumption|].
  assert (0 < al * Rabs (u - v)) by (apply Rmult_lt_0_compat; [|apply Rabs_pos_lt]; lra). lra.
Qed.

(** Slide the interval [x, y] to [x', y']: by injectivity the increment of φ never vanishes on
    the way, so it keeps its sign (intermediate value theorem). *)
Lemma phi_monotone x y x' y' :
  x < y -> x' < y' -> 0 < (phi y - phi x) * (phi y' - phi x').
Proof.
  intros Hxy Hxy'.
  destruct (Rlt_or_le 0 ((phi y - phi x) * (phi y' - phi x'))) as [|Hneg]; [assumption|exfalso].
  set (slide := fun a b t => a + t * (b - a)).
  set (F := fun t => phi (slide y y' t) - phi (slide x x' t)).
  assert (Hslide : forall a b, continuity (slide a b)) by (intros; unfold slide; reg).
  assert (HF : continuity F).
  { apply continuity_minus;
      (refine (continuity_comp (slide _ _) phi _ _); [apply Hslide|apply phi_continuous]). }
  destruct (IVT_cor F 0 1 HF) as [t [Ht Et]]; [lra| |].
  - unfold F, slide. rewrite !Rmult_0_l, !Rplus_0_r, !Rmult_1_l.
    replace (y + (y' - y)) with y' by ring. replace (x + (x' - x)) with x' by ring. exact Hneg.
  - assert (E : slide y y' t = slide x x' t) by (apply phi_injective; unfold F in Et; lra).
    unfold slide in E. assert (Z : (1 - t) * (y - x) + t * (y' - x') = 0) by lra.
    destruct (Rle_or_lt t (1 / 2)).
    + assert (0 < (1 - t) * (y - x)) by (apply Rmult_lt_0_compat; lra).
      assert (0 <= t * (y' - x')) by (apply Rmult_le_pos; lra). lra.
    + assert (0 <= (1 - t) * (y - x)) by (apply Rmult_le_pos; lra).
      assert (0 < t * (y' - x')) by (apply Rmult_lt_0_compat; lra). lra.
Qed.

Definition phi_sign : R := if Rlt_dec (phi 0) (phi 1) then 1 else -1.

Lemma phi_sign_is_sign : is_sign phi_sign.
Proof. unfold phi_sign, is_sign. destruct (Rlt_dec _ _); auto. Qed.

(** σ φ is increasing, so the difference quotients of φ are slopes. *)
Lemma difference_quotient_slope x h :
  h <> 0 -> slope al be phi_sign ((phi (x + h) - phi x) / h).
Proof.
  intros Hh. destruct Hphi as [_ H]. specialize (H (x + h) x).
  replace (x + h - x) with h in H by ring.
  assert (Hpos : 0 < phi_sign * ((phi (x + h) - phi x) / h)).
  { assert (Hs : 0 < phi_sign * (phi 1 - phi 0)).
    { unfold phi_sign. destruct (Rlt_dec _ _); [lra|].
      destruct (Req_dec (phi 0) (phi 1)) as [E|]; [|lra]. apply phi_injective in E. lra. }
    assert (Hq : 0 < (phi (x + h) - phi x) / h * (phi 1 - phi 0)).
    { destruct (Rlt_or_le 0 h) as [Hp|Hn].
      - replace (_ / h * _) with ((phi (x + h) - phi x) * (phi 1 - phi 0) * / h)
          by (field; lra).
        apply Rmult_lt_0_compat; [apply phi_monotone; lra|apply Rinv_0_lt_compat, Hp].
      - replace (_ / h * _) with ((phi x - phi (x + h)) * (phi 1 - phi 0) * / - h)
          by (field; lra).
        apply Rmult_lt_0_compat; [apply phi_monotone; lra|apply Rinv_0_lt_compat; lra]. }
    unfold phi_sign in *. destruct (Rlt_dec _ _); nra. }
  assert (E : phi_sign * ((phi (x + h) - phi x) / h) = Rabs (phi (x + h) - phi x) / Rabs h).
  { rewrite <- (Rabs_right (phi_sign * _)) by lra. unfold Rdiv.
    rewrite (abs_sign _ _ phi_sign_is_sign), Rabs_mult, Rabs_inv. reflexivity. }
  unfold slope. rewrite E. assert (Hh' := Rabs_pos_lt h Hh). split.
  - apply Rmult_le_reg_r with (Rabs h); [exact Hh'|].
    replace (Rabs (phi (x + h) - phi x) / Rabs h * Rabs h) with (Rabs (phi (x + h) - phi x))
      by (field; lra). lra.
  - apply quotient_le; lra.
Qed.

(** Limits of slopes are slopes. *)
Theorem derivatives_have_one_sign x s :
  derivable_pt_lim phi x s -> slope al be phi_sign s.
Proof.
  intros D.
  assert (Hclose : forall eps, 0 < eps -> al - eps <= phi_sign * s <= be + eps).
  { intros eps Heps. destruct (D eps Heps) as [[h Hh] Hd]; simpl in Hd.
    assert (Hq := difference_quotient_slope x (h / 2)). unfold slope in Hq.
    specialize (Hd (h / 2)). rewrite (Rabs_right (h / 2)) in Hd by lra.
    assert (Hd' := Hd ltac:(lra) ltac:(lra)). apply Rabs_def2 in Hd'.
    specialize (Hq ltac:(lra)).
    destruct phi_sign_is_sign as [E|E]; rewrite E in *; lra. }
  split; apply Rnot_lt_le; intros Hc.
  - specialize (Hclose ((al - phi_sign * s) / 2)). lra.
  - specialize (Hclose ((phi_sign * s - be) / 2)). lra.
Qed.

End Derivatives.

(** ** Leaky ReLU transmits with α = a, β = 1 *)

Definition leaky_relu (a u : R) : R := if Rle_dec 0 u then u else a * u.

Lemma leaky_relu_transmits a : 0 <= a <= 1 -> transmits a 1 (leaky_relu a).
Proof.
  intros Ha. assert (H : forall u v, a * Rabs (u - v)
    <= Rabs (leaky_relu a u - leaky_relu a v) <= 1 * Rabs (u - v)).
  { intros u v. unfold leaky_relu. destruct (Rle_dec 0 u), (Rle_dec 0 v);
      unfold Rabs; repeat destruct (Rcase_abs _); split; nra. }
  split; [|exact H]. intros u. specialize (H u 0).
  replace (leaky_relu a 0) with 0 in H by (unfold leaky_relu; destruct (Rle_dec 0 0); lra).
  rewrite !Rminus_0_r in H. exact H.
Qed.

Lemma identity_transmits : transmits 1 1 (fun u => u).
Proof. split; intros; lra. Qed.

Lemma scaling_transmits c : 0 <= c -> transmits c c (fun u => c * u).
Proof.
  intros Hc. assert (H : forall u, c * Rabs u <= Rabs (c * u) <= c * Rabs u)
    by (intros; rewrite Rabs_mult, (Rabs_right c) by lra; lra).
  split; [exact H|]. intros u v. rewrite <- Rmult_minus_distr_l. apply H.
Qed.
