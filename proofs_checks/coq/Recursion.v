(** * Equation 3, and the recursion behind every bound over depth

    Equation 3 (claim equation3): for real a, b different from 0,
        |(a+Δa)(b+Δb) − ab| / |ab|  <=  (1 + |Δa|/|a|) (1 + |Δb|/|b|) − 1.
    The formal statement is literally this one.

    The recursion is its analogue for L factors, and is used by all bounds on functions and on
    Jacobians.  Think of size_k as ‖h_k‖ and of err_k as ‖h̃_k − h_k‖.  If each layer has numbers
    lo >= 0, c >= 1, D >= 1 with
        size_{k+1} >= lo · size_k,
        err_{k+1}  <= c lo · (D err_k + (D − 1) size_k),
    then  err_n <= Π c_k · [Π D_k − 1] · size_n.
    (For ratios r_k = err_k / size_k this reads r_{k+1} <= c (D r_k + D − 1).)
    The constants C0, P0 allow the recursion to start where another one ended. *)

From Coq Require Import Reals Lra Lia.
From DRT Require Import Sums.
Open Scope R_scope.

Theorem equation3 a b da db :
  a <> 0 -> b <> 0 ->
  Rabs ((a + da) * (b + db) - a * b) / Rabs (a * b)
  <= (1 + Rabs da / Rabs a) * (1 + Rabs db / Rabs b) - 1.
Proof.
  intros Ha Hb. apply Rabs_pos_lt in Ha. apply Rabs_pos_lt in Hb. rewrite Rabs_mult.
  apply quotient_le; [apply Rmult_lt_0_compat; assumption|].
  replace (((1 + Rabs da / Rabs a) * (1 + Rabs db / Rabs b) - 1) * (Rabs a * Rabs b))
    with (Rabs a * Rabs db + (Rabs b * Rabs da + Rabs da * Rabs db)) by (field; lra).
  rewrite <- !Rabs_mult.
  replace ((a + da) * (b + db) - a * b) with (a * db + (b * da + da * db)) by ring.
  eapply Rle_trans; [apply Rabs_triang|]. apply Rplus_le_compat_l, Rabs_triang.
Qed.

(** Equality when both relative changes point the same way as a and b. *)
Theorem equation3_equality a b da db :
  a <> 0 -> b <> 0 -> 0 <= da / a -> 0 <= db / b ->
  Rabs ((a + da) * (b + db) - a * b) / Rabs (a * b)
  = (1 + Rabs da / Rabs a) * (1 + Rabs db / Rabs b) - 1.
Proof.
  intros Ha Hb Hda Hdb.
  assert (E : (a + da) * (b + db) - a * b = ((1 + da / a) * (1 + db / b) - 1) * (a * b))
    by (field; auto).
  rewrite E, Rabs_mult. unfold Rdiv at 1.
  rewrite Rmult_assoc, Rinv_r, Rmult_1_r by (apply Rabs_no_R0, Rmult_integral_contrapositive; auto).
  unfold Rdiv. rewrite <- !Rabs_inv, <- !Rabs_mult.
  fold (da / a) (db / b). rewrite (Rabs_right (da / a)), (Rabs_right (db / b)) by lra.
  rewrite Rabs_right; [ring|].
  assert (0 <= da / a * (db / b)) by (apply Rmult_le_pos; assumption). lra.
Qed.

(** The induction step.  The slack is (C − 1)(D − 1) >= 0. *)
Lemma recursion_step C c D P lo size size' err err' :
  1 <= C -> 1 <= c -> 1 <= D -> 1 <= P -> 0 <= lo -> 0 <= size ->
  lo * size <= size' ->
  err' <= c * lo * (D * err + (D - 1) * size) ->
  err <= C * (P - 1) * size ->
  err' <= C * c * (P * D - 1) * size'.
Proof.
  intros HC Hc HD HP Hlo Hsize Hsize' Herr' Herr.
  assert (HX : 0 <= C * c * (P * D - 1)).
  { assert (1 * 1 <= P * D) by (apply Rmult_le_compat; lra).
    apply Rmult_le_pos; [apply Rmult_le_pos|]; lra. }
  apply Rle_trans with (C * c * (P * D - 1) * (lo * size));
    [|apply Rmult_le_compat_l; assumption].
  eapply Rle_trans; [exact Herr'|].
  apply Rle_trans with (c * lo * (D * (C * (P - 1) * size) + (D - 1) * size)).
  { apply Rmult_le_compat_l; [apply Rmult_le_pos; lra|].
    apply Rplus_le_compat_r, Rmult_le_compat_l; lra. }
  assert (0 <= c * lo * size * ((C - 1) * (D - 1)))
    by (repeat apply Rmult_le_pos; lra).
  lra.
Qed.

Theorem relative_recursion n (err size lo c D : nat -> R) C0 P0 :
  1 <= C0 -> 1 <= P0 ->
  (forall k, (k < n)%nat -> 0 <= lo k /\ 1 <= c k /\ 1 <= D k) ->
  (forall k, (k < n)%nat -> 0 <= size k) ->
  (forall k, (k < n)%nat -> lo k * size k <= size (S k)) ->
  (forall k, (k < n)%nat ->
     err (S k) <= c k * lo k * (D k * err k + (D k - 1) * size k)) ->
  err 0%nat <= C0 * (P0 - 1) * size 0%nat ->
  err n <= C0 * prod n c * (P0 * prod n D - 1) * size n.
Proof.
  intros HC0 HP0 Hlayer Hsize Hlo Herr Hstart.
  induction n as [|n IH]; simpl; [rewrite !Rmult_1_r; exact Hstart|].
  rewrite <- !Rmult_assoc.
  destruct (Hlayer n) as [Hl [Hc HD]]; [lia|].
  assert (HCn : 1 <= C0 * prod n c).
  { replace 1 with (1 * 1) by ring. apply Rmult_le_compat; try lra.
    apply prod_ge1; intros; apply Hlayer; lia. }
  assert (HPn : 1 <= P0 * prod n D).
  { replace 1 with (1 * 1) by ring. apply Rmult_le_compat; try lra.
    apply prod_ge1; intros; apply Hlayer; lia. }
  apply recursion_step with (lo n) (size n) (err n); auto.
Qed.
