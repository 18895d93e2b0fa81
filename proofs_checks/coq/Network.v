(** * Multilayer perceptrons and their Jacobians

    Widths w 0, w 1, ..., w L; the matrix [V k] is w(k+1) × w(k), the paper's W_{k+1}.

    Every layer has a nonlinearity of its own: [phi k] is φ_{k+1}, applied after W_{k+1}.  The paper
    has one φ for all layers; that is the case where [phi] does not depend on k.

    [net φ w V h lo k]  is the state after the k layers lo, ..., lo+k-1, started in the state h.
                        With lo = 0 and h = x it is the paper's h_k, with k = L the output f(x).
    [jac w G V lo k]    is the product  Φ'_{lo+k-1} V_{lo+k-1} ··· Φ'_{lo} V_{lo},
                        Φ'_j = diag(G j), where G j i is a slope of φ_j at the i-th entry of V_j h_j.
                        With lo = l and k = L − l it is the paper's J_l = ∂f/∂h_l.

    Proposition 1 (claim proposition1): the product is the derivative, with or without biases.
    Formally: if every G j i is the derivative of φ_j at the entry in question and the state h(t)
    moves along any differentiable curve with velocity v, then every output entry i has derivative
    (J v)_i.  [biased_net φ w V b] is the network with h_{k+1} = φ_k(V_k h_k + b_k); without
    biases it is [net φ w V] ([biased_net_no_bias]). *)

From Coq Require Import Reals Lra Lia.
From DRT Require Import Sums Norms Transmission.
Open Scope R_scope.

Fixpoint net (phi : nat -> R -> R) (w : nat -> nat) (V : nat -> mat) (h : vec) (lo k : nat)
  : vec :=
  match k with
  | O => h
  | S k' => vphi (phi (lo + k')%nat) (mv (w (lo + k')%nat) (V (lo + k')%nat) (net phi w V h lo k'))
  end.

(** The entries of V_{lo+k} h + b_{lo+k}, where h is the state before that layer. *)
Definition pre (w : nat -> nat) (V : nat -> mat) (b : nat -> vec) (lo k : nat) (h : vec) : vec :=
  vadd (mv (w (lo + k)%nat) (V (lo + k)%nat) h) (b (lo + k)%nat).

Fixpoint biased_net (phi : nat -> R -> R) (w : nat -> nat) (V : nat -> mat) (b : nat -> vec)
  (h : vec) (lo k : nat) : vec :=
  match k with
  | O => h
  | S k' => vphi (phi (lo + k')%nat) (pre w V b lo k' (biased_net phi w V b h lo k'))
  end.

Definition no_bias : nat -> vec := fun _ _ => 0.

Lemma biased_net_no_bias phi w V h lo k i :
  biased_net phi w V no_bias h lo k i = net phi w V h lo k i.
Proof.
  revert i; induction k as [|k IH]; intros i; simpl; [reflexivity|].
  unfold vphi, pre, vadd, no_bias. rewrite Rplus_0_r. f_equal.
  apply sum_ext; intros. rewrite IH. reflexivity.
Qed.

(** diag(g) A *)
Definition dg (g : vec) (A : mat) : mat := fun i j => g i * A i j.

Fixpoint jac (w : nat -> nat) (G : nat -> vec) (V : nat -> mat) (lo k : nat) : mat :=
  match k with
  | O => idm
  | S k' => mm (w (lo + k')%nat) (dg (G (lo + k')%nat) (V (lo + k')%nat)) (jac w G V lo k')
  end.

(** Valley: from l to L the widths first never rise, then never fall. *)
Definition valley (w : nat -> nat) (l L : nat) : Prop :=
  exists p, (l <= p <= L)%nat
    /\ (forall k, (l <= k < p)%nat -> (w (S k) <= w k)%nat)
    /\ (forall k, (p <= k < L)%nat -> (w k <= w (S k))%nat).

(** ΔW_k = W̃_k − W_k *)
Definition change (W Wt : nat -> mat) (k : nat) : mat := msub (Wt k) (W k).

(** The product can also be built from the input side. *)
Lemma jac_cons w G V lo k i j :
  (j < w lo)%nat -> (i < w (lo + S k))%nat ->
  jac w G V lo (S k) i j = mm (w (S lo)) (jac w G V (S lo) k) (dg (G lo) (V lo)) i j.
Proof.
  revert i j; induction k as [|k IH]; intros i j Hj Hi.
  - simpl. rewrite Nat.add_0_r, mm_idm_r by exact Hj. rewrite mm_idm_l; [reflexivity|].
    replace (S lo) with (lo + 1)%nat by lia. exact Hi.
  - change (jac w G V lo (S (S k)))
      with (mm (w (lo + S k)%nat) (dg (G (lo + S k)%nat) (V (lo + S k)%nat)) (jac w G V lo (S k))).
    change (jac w G V (S lo) (S k))
      with (mm (w (S lo + k)%nat) (dg (G (S lo + k)%nat) (V (S lo + k)%nat)) (jac w G V (S lo) k)).
    replace (S lo + k)%nat with (lo + S k)%nat by lia.
    rewrite mm_assoc. apply mm_ext; auto.
Qed.

Lemma derivable_mv n A (h : R -> vec) (v : vec) t i :
  (forall j, (j < n)%nat -> derivable_pt_lim (fun s => h s j) t (v j)) ->
  derivable_pt_lim (fun s => mv n A (h s) i) t (mv n A v i).
Proof.
  intros H. unfold mv. induction n as [|n IH]; simpl.
  - apply derivable_pt_lim_const.
  - apply (derivable_pt_lim_plus (fun s => sum n (fun j => A i j * h s j))
                                 (fun s => A i n * h s n)).
    + apply IH; intros; apply H; lia.
    + apply (derivable_pt_lim_scal (fun s => h s n)), H; lia.
Qed.

(** G holds the derivatives of the φ_j at the pre-activations of layers lo, ..., lo+k-1. *)
Definition derivatives_at phi w V b h lo k (G : nat -> vec) : Prop :=
  forall j i, (j < k)%nat -> (i < w (S (lo + j)))%nat ->
    derivable_pt_lim (phi (lo + j)%nat) (pre w V b lo j (biased_net phi w V b h lo j) i)
                     (G (lo + j)%nat i).

Theorem proposition1 (phi : nat -> R -> R) w V b G lo k (h : R -> vec) (v : vec) t :
  derivatives_at phi w V b (h t) lo k G ->
  (forall j, (j < w lo)%nat -> derivable_pt_lim (fun s => h s j) t (v j)) ->
  forall i, (i < w (lo + k))%nat ->
    derivable_pt_lim (fun s => biased_net phi w V b (h s) lo k i) t
                     (mv (w lo) (jac w G V lo k) v i).
Proof.
  intros HG Hh; induction k as [|k IH]; intros i Hi.
  - simpl. rewrite Nat.add_0_r in Hi. rewrite mv_idm by exact Hi. apply Hh, Hi.
  - rewrite Nat.add_succ_r in Hi.
    set (n := w (lo + k)%nat). set (A := V (lo + k)%nat). set (J := jac w G V lo k).
    (* (diag(g) A J) v = g ⊙ A (J v) *)
    assert (E : mv (w lo) (jac w G V lo (S k)) v i
                = G (lo + k)%nat i * (mv n A (mv (w lo) J v) i + 0)).
    { simpl. fold n A J. unfold mv, mm, dg. rewrite Rplus_0_r.
      rewrite (sum_ext _ _ (fun j => sum n (fun a => G (lo + k)%nat i * (A i a * (J a j * v j))))).
      2:{ intros. rewrite Rmult_comm, <- sum_scal. apply sum_ext; intros; ring. }
      rewrite sum_swap, <- sum_scal. apply sum_ext; intros a _.
      rewrite sum_scal, sum_scal. reflexivity. }
    rewrite E. simpl. unfold vphi.
    apply (derivable_pt_lim_comp (fun s => pre w V b lo k (biased_net phi w V b (h s) lo k) i)).
    + unfold pre, vadd. fold n A.
      apply (derivable_pt_lim_plus (fun s => mv n A (biased_net phi w V b (h s) lo k) i)
                                   (fun _ => b (lo + k)%nat i)); [|apply derivable_pt_lim_const].
      apply derivable_mv. intros j Hj. apply IH; [|exact Hj].
      intros j' i' Hj' Hi'; apply HG; lia.
    + apply HG; [lia|exact Hi].
Qed.
