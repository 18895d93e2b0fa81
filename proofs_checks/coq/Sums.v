(** * Finite sums and products of real numbers

    [sum n f]  is  f 0 + f 1 + ... + f (n-1),
    [prod n f] is  f 0 * f 1 * ... * f (n-1);
    the empty sum is 0 and the empty product is 1.  Indices start at 0 throughout,
    so the layer that the paper calls W_{k+1} is [W k] here. *)

From Coq Require Import Reals Lra Lia.
Open Scope R_scope.

Fixpoint sum (n : nat) (f : nat -> R) : R :=
  match n with O => 0 | S k => sum k f + f k end.

Fixpoint prod (n : nat) (f : nat -> R) : R :=
  match n with O => 1 | S k => prod k f * f k end.

(** ** Sums *)

Lemma sum_ext n f g :
  (forall i, (i < n)%nat -> f i = g i) -> sum n f = sum n g.
Proof.
  intros H; induction n as [|n IH]; simpl; [reflexivity|].
  rewrite IH by (intros; apply H; lia). rewrite H by lia. reflexivity.
Qed.

Lemma sum_le n f g :
  (forall i, (i < n)%nat -> f i <= g i) -> sum n f <= sum n g.
Proof.
  intros H; induction n as [|n IH]; simpl; [lra|].
  apply Rplus_le_compat; [apply IH; intros|]; apply H; lia.
Qed.

Lemma sum_const n c : sum n (fun _ => c) = INR n * c.
Proof. induction n as [|n IH]; [simpl; ring|]. rewrite S_INR; simpl sum. rewrite IH; ring. Qed.

Lemma sum_nonneg n f : (forall i, (i < n)%nat -> 0 <= f i) -> 0 <= sum n f.
Proof.
  intros H. replace 0 with (sum n (fun _ => 0)) by (rewrite sum_const; ring).
  apply sum_le, H.
Qed.

(** A sum of terms <= with one < is <. *)
Lemma sum_lt n f g :
  (forall i, (i < n)%nat -> f i <= g i) ->
  (exists i, (i < n)%nat /\ f i < g i) -> sum n f < sum n g.
Proof.
  intros H [i [Hi Hlt]]; induction n as [|n IH]; [lia|simpl].
  destruct (Nat.eq_dec i n) as [->|Hne].
  - apply Rplus_le_lt_compat; [apply sum_le; intros; apply H; lia|exact Hlt].
  - apply Rplus_lt_le_compat; [apply IH; [intros; apply H; lia|lia]|apply H; lia].
Qed.

Lemma sum_plus n f g : sum n (fun i => f i + g i) = sum n f + sum n g.
Proof. induction n as [|n IH]; simpl; [ring|rewrite IH; ring]. Qed.

Lemma sum_scal n c f : sum n (fun i => c * f i) = c * sum n f.
Proof. induction n as [|n IH]; simpl; [ring|rewrite IH; ring]. Qed.

Lemma sum_minus n f g : sum n (fun i => f i - g i) = sum n f - sum n g.
Proof. induction n as [|n IH]; simpl; [ring|rewrite IH; ring]. Qed.

Lemma sum_swap m n (f : nat -> nat -> R) :
  sum m (fun i => sum n (fun j => f i j)) = sum n (fun j => sum m (fun i => f i j)).
Proof.
  induction m as [|m IH]; simpl.
  - rewrite sum_const; ring.
  - rewrite IH, <- sum_plus; reflexivity.
Qed.

(** A sum with a single non-zero term. *)
Lemma sum_single n j f :
  (j < n)%nat -> (forall i, (i < n)%nat -> i <> j -> f i = 0) -> sum n f = f j.
Proof.
  intros Hj H; induction n as [|n IH]; [lia|simpl].
  destruct (Nat.eq_dec j n) as [->|Hne].
  - rewrite (sum_ext n f (fun _ => 0)) by (intros; apply H; lia).
    rewrite sum_const; ring.
  - rewrite IH, (H n) by (lia || (intros; apply H; lia)); ring.
Qed.

(** A sum of which only the first m terms are non-zero. *)
Lemma sum_padded m n f :
  (m <= n)%nat -> sum n (fun i => if Nat.ltb i m then f i else 0) = sum m f.
Proof.
  intros H; induction H as [|n H IH]; simpl.
  - apply sum_ext; intros. destruct (Nat.ltb_spec i m); [reflexivity|lia].
  - rewrite IH. destruct (Nat.ltb_spec n m); [lia|ring].
Qed.

(** ** Products *)

Lemma prod_ext n f g :
  (forall i, (i < n)%nat -> f i = g i) -> prod n f = prod n g.
Proof.
  intros H; induction n as [|n IH]; simpl; [reflexivity|].
  rewrite IH by (intros; apply H; lia). rewrite H by lia. reflexivity.
Qed.

Lemma prod_nonneg n f : (forall i, (i < n)%nat -> 0 <= f i) -> 0 <= prod n f.
Proof.
  intros H; induction n as [|n IH]; simpl; [lra|].
  apply Rmult_le_pos; [apply IH; intros|]; apply H; lia.
Qed.

Lemma prod_ge1 n f : (forall i, (i < n)%nat -> 1 <= f i) -> 1 <= prod n f.
Proof.
  intros H; induction n as [|n IH]; simpl; [lra|].
  assert (1 <= f n) by (apply H; lia).
  assert (1 <= prod n f) by (apply IH; intros; apply H; lia).
  replace 1 with (1 * 1) by ring. apply Rmult_le_compat; lra.
Qed.

Lemma prod_le n f g :
  (forall i, (i < n)%nat -> 0 <= f i <= g i) -> prod n f <= prod n g.
Proof.
  intros H; induction n as [|n IH]; simpl; [lra|].
  apply Rmult_le_compat; try apply H; try lia.
  - apply prod_nonneg; intros; apply H; lia.
  - apply IH; intros; apply H; lia.
Qed.

Lemma prod_const n c : prod n (fun _ => c) = c ^ n.
Proof. induction n as [|n IH]; simpl; [reflexivity|rewrite IH; ring]. Qed.

(** All factors equal but one. *)
Lemma prod_one_off n j c f :
  (j < n)%nat -> (forall i, (i < n)%nat -> i <> j -> f i = c) -> prod n f = f j * c ^ (n - 1).
Proof.
  intros Hj H; induction n as [|n IH]; [lia|simpl prod].
  destruct (Nat.eq_dec j n) as [->|Hne].
  - rewrite (prod_ext n f (fun _ => c)) by (intros; apply H; lia).
    rewrite prod_const. replace (S n - 1)%nat with n by lia. ring.
  - rewrite IH, (H n) by (lia || (intros; apply H; lia)).
    replace (S n - 1)%nat with (S (n - 1)) by lia. simpl. ring.
Qed.

Lemma prod_mult n f g : prod n (fun i => f i * g i) = prod n f * prod n g.
Proof. induction n as [|n IH]; simpl; [ring|rewrite IH; ring]. Qed.

Lemma prod_split a b f :
  prod (a + b) f = prod a f * prod b (fun i => f (a + i)%nat).
Proof.
  induction b as [|b IH]; [rewrite Nat.add_0_r; simpl; ring|].
  rewrite Nat.add_succ_r; simpl. rewrite IH; ring.
Qed.

(** The same product from the other end. *)
Lemma prod_rev n f : prod n (fun i => f (n - S i)%nat) = prod n f.
Proof.
  induction n as [|n IH]; [reflexivity|].
  change (S n) with (1 + n)%nat at 1. rewrite prod_split.
  rewrite (prod_ext n _ (fun i => f (n - S i)%nat)) by (intros; f_equal; lia).
  rewrite IH; simpl. rewrite Nat.sub_0_r; ring.
Qed.

(** [1 + x <= e^x], factor by factor. *)
Lemma prod_le_exp_sum n f :
  (forall i, (i < n)%nat -> 0 <= f i) -> prod n (fun i => 1 + f i) <= exp (sum n f).
Proof.
  intros H; induction n as [|n IH]; simpl; [rewrite exp_0; lra|].
  rewrite exp_plus. apply Rmult_le_compat.
  - apply prod_nonneg; intros; assert (0 <= f i) by (apply H; lia); lra.
  - assert (0 <= f n) by (apply H; lia); lra.
  - apply IH; intros; apply H; lia.
  - assert (0 <= f n) by (apply H; lia).
    destruct (Req_dec (f n) 0) as [->|Hne]; [rewrite exp_0; lra|].
    apply Rlt_le, exp_ineq1; lra.
Qed.

Lemma pow_lt_pow n a b : (0 < n)%nat -> 0 <= a < b -> a ^ n < b ^ n.
Proof.
  intros Hn Hab. induction Hn as [|n Hn IH]; simpl; [lra|].
  apply Rmult_le_0_lt_compat; [lra|apply pow_le; lra|lra|exact IH].
Qed.

(** ** Quotients

    The bounds are proved in the form [a <= b * c] and stated in the form [a / c <= b]. *)
Lemma quotient_le a b c : 0 < c -> a <= b * c -> a / c <= b.
Proof.
  intros Hc H. apply Rmult_le_reg_r with c; [exact Hc|].
  unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra.
Qed.

Lemma quotient_ge a b c : 0 < c -> a / c <= b -> a <= b * c.
Proof.
  intros Hc H. replace a with (a / c * c) by (field; lra).
  apply Rmult_le_compat_r; lra.
Qed.

Lemma quotient_nonneg a b : 0 <= a -> 0 < b -> 0 <= a / b.
Proof. intros Ha Hb. apply Rmult_le_pos; [lra|]. apply Rlt_le, Rinv_0_lt_compat, Hb. Qed.
