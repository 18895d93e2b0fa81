(** * The hypotheses can be met

    For each group of theorems, an instance of all its hypotheses at once, so that none of the
    theorems is vacuous.  (Lemma 1, condition (4) and Lemma 2: [lemma2_applies] in Models.v.)

    The networks are those of Witness.v without a spike: W_k = I and W̃_k = (1+δ) I, cut to shape,
    of any depth and any positive widths, with leaky ReLU of slope a and a linear last layer.

    [theorem1_function_linear_last] is Theorem 1 for what people train: leaky ReLU in the hidden
    layers, a linear last one.  That layer has β/α = 1, so it adds no factor 1/a. *)

From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From DRT Require Import Sums Norms Conditioning Transmission Network FunctionBounds Witness Fromage.
Open Scope R_scope.

Definition identity_layers : nat -> mat := fun _ => idm.

(** φ in the layers 0, ..., n−1, the identity in layer n. *)
Definition linear_last (n : nat) (phi : R -> R) (k : nat) : R -> R :=
  if Nat.eqb k n then fun u => u else phi.

Definition alpha_linear_last (n : nat) (a : R) (k : nat) : R := if Nat.eqb k n then 1 else a.

Lemma linear_last_transmits n a k :
  0 <= a <= 1 -> transmits (alpha_linear_last n a k) 1 (linear_last n (leaky_relu a) k).
Proof.
  intros Ha. unfold linear_last, alpha_linear_last. destruct (Nat.eqb k n).
  - apply identity_transmits.
  - apply leaky_relu_transmits, Ha.
Qed.

Theorem theorem1_function_linear_last a w n K W Wt x :
  0 < a <= 1 ->
  (forall k, (k <= S n)%nat -> (0 < w k)%nat) ->
  (forall k, (k < S n)%nat -> (w k <= w (S k))%nat) ->
  (forall k, (k < S n)%nat -> 0 < smin (w (S k)) (w k) (W k)) ->
  (forall k, (k < S n)%nat -> conditioned K (w (S k)) (w k) (W k)) ->
  (forall k, (k < S n)%nat -> conditioned K (w (S k)) (w k) (change W Wt k)) ->
  0 < nrm (w 0%nat) x ->
  let f V := net (linear_last n (leaky_relu a)) w V x 0 (S n) in
  nrm (w (S n)) (vsub (f Wt) (f W)) / nrm (w (S n)) (f W)
  <= (1 / a) ^ n * K ^ (2 * S n)
     * (prod (S n) (fun k => 1 + delta (w (S k)) (w k) (W k) (change W Wt k)) - 1).
Proof.
  intros Ha Hw Hrise Hs HW HD Hx f.
  replace ((1 / a) ^ n) with (prod (S n) (fun k => 1 / alpha_linear_last n a k)).
  - apply (theorem1_function _ (alpha_linear_last n a) (fun _ => 1)); auto.
    + intros k _. unfold alpha_linear_last. destruct (Nat.eqb k n); lra.
    + intros k _. apply linear_last_transmits; lra.
  - simpl. rewrite (prod_ext n _ (fun _ => 1 / a)), prod_const.
    + unfold alpha_linear_last. rewrite Nat.eqb_refl. field; lra.
    + intros k Hk. unfold alpha_linear_last.
      replace (Nat.eqb k n) with false; [reflexivity|]. symmetry. apply Nat.eqb_neq. lia.
Qed.

(** FunctionBounds.v and JacobianBounds.v.  What is missing here is only the condition on the
    widths, which is free to choose. *)
Theorem relative_bounds_hypotheses_met (w : nat -> nat) n a dl :
  (forall k, (0 < w k)%nat) -> 0 < a <= 1 -> 0 < dl < 1 ->
  let W := identity_layers in
  let Wt := shifted dl W in
  let K := (1 + dl) / (1 - dl) in
  (forall k, 0 < alpha_linear_last n a k /\
     transmits (alpha_linear_last n a k) 1 (linear_last n (leaky_relu a) k)) /\
  (forall k, 0 < smin (w (S k)) (w k) (W k)) /\
  (forall k, conditioned K (w (S k)) (w k) (W k)) /\
  (forall k, conditioned K (w (S k)) (w k) (change W Wt k)) /\
  (forall k, 0 < fro (w (S k)) (w k) (change W Wt k)) /\
  0 < nrm (w 0%nat) (col idm 0) /\
  (* slopes on either side of the kink *)
  is_sign 1 /\ slope a 1 1 1 /\ slope a 1 1 a.
Proof.
  intros Hw Ha Hdl W Wt K.
  assert (EK : K * (1 - dl) = 1 + dl) by (unfold K; field; lra).
  assert (HK : 1 <= K) by nra.
  assert (H : forall k, layer_conditioned K (w (S k)) (w k) (W k) (Wt k)).
  { intros k. apply shifted_conditioned; auto; [apply idm_isometric; auto|lra]. }
  split.
  { intros k. split; [|apply linear_last_transmits; lra].
    unfold alpha_linear_last. destruct (Nat.eqb k n); lra. }
  split; [intros k; apply (H k)|]. split; [intros k; apply (H k)|]. split; [intros k; apply (H k)|].
  split.
  { intros k. destruct (H k) as [_ [_ [Hs _]]].
    eapply Rlt_le_trans; [|apply fro_ge_smin]. apply Rmult_lt_0_compat; [|exact Hs].
    assert (H0 := Hw k). assert (H1 := Hw (S k)). apply sqrt_lt_R0, lt_0_INR. lia. }
  split; [rewrite nrm_unit by auto; lra|].
  unfold is_sign, slope. split; [left; reflexivity|]. split; lra.
Qed.

(** ProductBounds.v, ReLU allowed: ‖W_k‖₂ > 0 and 0 < ρ_k <= 1/L. *)
Theorem absolute_bounds_hypotheses_met (w : nat -> nat) L :
  (forall k, (0 < w k)%nat) -> (1 < L)%nat ->
  let W := identity_layers in
  let Wt := shifted (/ INR L) W in
  (forall k, transmits 0 1 (linear_last (L - 1) (leaky_relu 0) k)) /\
  (forall k, 0 < opnorm (w (S k)) (w k) (W k)) /\
  (forall k, 0 < rho (w (S k)) (w k) (W k) (change W Wt k) <= / INR L).
Proof.
  intros Hw HL W Wt. assert (HLR : 1 < INR L) by (apply (lt_INR 1); exact HL).
  assert (Hi : 0 < / INR L) by (apply Rinv_0_lt_compat; lra).
  assert (Hnorm : forall k, opnorm (w (S k)) (w k) (W k) = 1).
  { intros k. destruct (idm_isometric (w (S k)) (w k) (Hw _) (Hw _)) as [Hs Ho].
    assert (H := smin_le_opnorm (w (S k)) (w k) idm). unfold W, identity_layers. lra. }
  split.
  { intros k. unfold linear_last. destruct (Nat.eqb k (L - 1)); [|apply leaky_relu_transmits; lra].
    split; intros; split; try lra; rewrite Rmult_0_l; apply Rabs_pos. }
  split; [intros k; rewrite Hnorm; lra|].
  intros k. unfold rho, Wt. rewrite change_shifted, Hnorm. unfold Rdiv. rewrite Rinv_1, Rmult_1_r.
  assert (Hup := opnorm_mscal_le (w (S k)) (w k) (/ INR L) idm ltac:(lra)).
  assert (Hlow := smin_mscal_ge (w (S k)) (w k) (/ INR L) idm (Hw _) (Hw _) ltac:(lra)).
  assert (Hso := smin_le_opnorm (w (S k)) (w k) (mscal (/ INR L) idm)).
  destruct (idm_isometric (w (S k)) (w k) (Hw _) (Hw _)) as [Hs Ho].
  assert (/ INR L * opnorm (w (S k)) (w k) idm <= / INR L * 1) by (apply Rmult_le_compat_l; lra).
  assert (/ INR L * 1 <= / INR L * smin (w (S k)) (w k) idm) by (apply Rmult_le_compat_l; lra).
  lra.
Qed.

(** Fromage.v: an orbit of step (5), and one of Algorithm 1, whose gradients are orthogonal to the
    weights at every step: a 1 × 2 matrix and its quarter turn. *)
Definition quarter_turn (A : mat) : mat := fun i j =>
  match j with O => - A i 1%nat | _ => A i 0%nat end.

Fixpoint orbit (step : mat -> mat -> mat) (t : nat) : mat :=
  match t with
  | O => fun _ j => match j with O => 1 | _ => 0 end
  | S s => step (orbit step s) (quarter_turn (orbit step s))
  end.

Lemma quarter_turn_orthogonal A : dotF 1 2 A (quarter_turn A) = 0.
Proof. unfold dotF, dot, col, quarter_turn; simpl. ring. Qed.

Lemma quarter_turn_norm A : fro 1 2 (quarter_turn A) = fro 1 2 A.
Proof. unfold fro, dotF, dot, col, quarter_turn; simpl. f_equal. ring. Qed.

Theorem fromage_hypotheses_met eta :
  0 < eta ->
  forall t,
    let W := orbit (lars 1 2 eta) in let V := orbit (fromage 1 2 eta) in
    (0 < fro 1 2 (quarter_turn (W t)) /\ dotF 1 2 (W t) (quarter_turn (W t)) = 0) /\
    (0 < fro 1 2 (quarter_turn (V t)) /\ dotF 1 2 (V t) (quarter_turn (V t)) = 0).
Proof.
  intros Heta t W V.
  assert (H0 : fro 1 2 (orbit (lars 1 2 eta) 0) = 1).
  { unfold fro, dotF, dot, col, orbit; simpl.
    transitivity (sqrt 1); [apply f_equal; ring|apply sqrt_1]. }
  assert (HW : 0 < fro 1 2 (W t)).
  { induction t as [|t IH]; [unfold W; rewrite H0; lra|]. unfold W in *; simpl.
    rewrite lars_norm_growth; [|lra|rewrite quarter_turn_norm; exact IH|
      apply quarter_turn_orthogonal].
    assert (H := sqrt_1p_ge1 eta). apply Rmult_lt_0_compat; lra. }
  assert (HV : 0 < fro 1 2 (V t)).
  { clear HW. induction t as [|t IH]; [unfold V; simpl in *; rewrite H0; lra|].
    unfold V in *; simpl.
    rewrite fromage_norm_growth; [exact IH|lra|rewrite quarter_turn_norm; exact IH|
      apply quarter_turn_orthogonal]. }
  rewrite !quarter_turn_norm, !quarter_turn_orthogonal. auto.
Qed.

(** The limit 0 is taken: weights that start at 0 stay there, whatever the gradient. *)
Theorem fromage_limit_hypotheses_met eta g :
  0 < fro 1 2 g -> fromage 1 2 eta (fun _ _ => 0) g = (fun _ _ => 0).
Proof.
  intros Hg. apply functional_extensionality; intro i; apply functional_extensionality; intro j.
  unfold fromage, lars, lars_change, madd, mscal.
  rewrite (fro_zero 1 2 (fun _ _ => 0)) by auto. field. lra.
Qed.
