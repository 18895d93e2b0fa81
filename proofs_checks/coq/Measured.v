(** * What a measurement is

    The claims of the toolkit are inequalities between fields of a measurement: [m.delta], [m.kappa], ...  This file
    says what each field is, one definition of the same name for each.  [drt prove] prints what a claim as coded
    asserts in these names, one goal a claim, and closes it by a theorem of Claims.v; so this file is what the
    correspondence of code and theorem rests on, and is meant to be read.

    Four kinds of measurement, each a record: what is measured, and what is known of it before any hypothesis.

    [OfFunction]  a network, its perturbation and an input
    [OfJacobian]  the same, a layer l, and slopes of every φ_k at the pre-activations of both networks
    [OfDescent]   N inputs, a loss, the derivatives of the loss with respect to the outputs, the segment W + tΔW
    [OfStep]      a weight, a gradient and η: one step of Fromage, and of LARS

    Layers are numbered from 0: entry k of a field of a function is layer k + 1 of the paper; of a Jacobian J_l, layer
    l + k + 1.  κ of a matrix is s_max/s_min; the code's ∞ for a matrix of deficient rank is here the hypothesis that
    there is none ([finite_kappa_w] and so on), the code's κ(0) = 1 is here 0/0 = 0, below every other κ. *)

From Coq Require Import Reals Lra Lia List.
From DRT Require Import Sums Norms Conditioning Transmission Network Gradient Descent Fromage Models.
Open Scope R_scope.

(** ** Vocabulary: what formulas are written in *)

Fixpoint peak (n : nat) (f : nat -> R) : R :=
  match n with O => f O | S n' => Rmax (peak n' f) (f n) end.
Fixpoint lowest (n : nat) (f : nat -> R) : R :=
  match n with O => f O | S n' => Rmin (lowest n' f) (f n) end.

(** The largest and the smallest of f 0, ..., f (n−1), n > 0. *)
Definition largest (n : nat) (f : nat -> R) : R := peak (pred n) f.
Definition smallest (n : nat) (f : nat -> R) : R := lowest (pred n) f.

(** Products over the layers k < l, k > l, k >= l and k <> l of L. *)
Definition products_below (L : nat) (f : nat -> R) (l : nat) : R := prod l f.
Definition products_above (L : nat) (f : nat -> R) (l : nat) : R := prod (L - S l) (fun i => f (S l + i)%nat).
Definition products_from (L : nat) (f : nat -> R) (l : nat) : R := prod (L - l) (fun i => f (l + i)%nat).
Definition products_others (L : nat) (f : nat -> R) (l : nat) : R :=
  products_below L f l * products_above L f l.

(** [(1 + η)^{L+1} − 1]/((L+1)η) − 1, the mean of (1 + tη)^L − 1 over [0, 1]; [growth L eta 1]. *)
Definition mean_growth (eta : R) (L : nat) : R := growth L eta 1.

(** ** Networks *)

(** f with weights W and biases b; f̃ with Wt and bt.  α_k <= |φ_k'| <= β_k in the sense of Transmission.v; α_k may be 0. *)
Record network := {
  layers : nat;
  width : nat -> nat;
  phi : nat -> R -> R;
  al : nat -> R;
  be : nat -> R;
  W : nat -> mat;
  Wt : nat -> mat;
  b : nat -> vec;
  bt : nat -> vec;
  layers_pos : (0 < layers)%nat;
  width_pos : forall k, (k <= layers)%nat -> (0 < width k)%nat;
  constants : forall k, (k < layers)%nat -> 0 <= al k /\ transmits (al k) (be k) (phi k)
}.

Definition dW (m : network) : nat -> mat := change (W m) (Wt m).

(** h_k and h̃_k, and the pre-activations of layer k + 1, for the input x. *)
Definition state (m : network) (V : nat -> mat) (c : nat -> vec) (x : vec) (k : nat) : vec :=
  biased_net (phi m) (width m) V c x 0 k.
Definition preactivation (m : network) (V : nat -> mat) (c : nat -> vec) (x : vec) (k : nat) : vec :=
  pre (width m) V c 0 k (state m V c x k).

(** Numbers of one layer. *)
Definition of_matrix (f : nat -> nat -> mat -> R) (m : network) (V : nat -> mat) (k : nat) : R :=
  f (width m (S k)) (width m k) (V k).
Definition delta_at (m : network) (k : nat) : R := delta (width m (S k)) (width m k) (W m k) (dW m k).
Definition rho_at (m : network) (k : nat) : R := rho (width m (S k)) (width m k) (W m k) (dW m k).
Definition zero_at (m : network) (k : nat) : Prop := fro (width m (S k)) (width m k) (dW m k) = 0.

Definition no_biases (m : network) : Prop :=
  forall k i, (k < layers m)%nat -> (i < width m (S k))%nat -> b m k i = 0 /\ bt m k i = 0.

(** φ is ReLU in every layer; the last may be linear. *)
Definition is_relu (m : network) : Prop :=
  (forall k u, (S k < layers m)%nat -> phi m k u = relu u) /\
  ((forall u, phi m (pred (layers m)) u = relu u) \/ (forall u, phi m (pred (layers m)) u = u)) /\
  exists k, (k < layers m)%nat /\ forall u, phi m k u = relu u.

(** s is a limit of difference quotients of φ at z: the derivative where there is one, a one-sided slope at a kink. *)
Definition limit_slope (f : R -> R) (z s : R) : Prop :=
  forall eps, 0 < eps -> exists h, h <> 0 /\ Rabs h < eps /\ Rabs ((f (z + h) - f z) / h - s) < eps.

(** ** The function *)

Module OfFunction.

Record measurement := { net :> network; x : vec }.

Section Fields.
Variable m : measurement.

Definition depth : nat := layers m.
Definition alphas k : R := al m k.
Definition betas k : R := be m k.
Definition alpha : R := smallest depth alphas.
Definition beta : R := largest depth betas.
Definition delta k : R := delta_at m k.
Definition rho k : R := rho_at m k.
Definition kappa_w k : R := of_matrix cond m (W m) k.
Definition kappa_dw k : R := of_matrix cond m (dW m) k.
Definition kappa_wt k : R := of_matrix cond m (Wt m) k.
Definition kappa : R := largest depth (fun k => Rmax (Rmax (kappa_w k) (kappa_dw k)) (kappa_wt k)).
Definition norm_w k : R := of_matrix opnorm m (W m) k.
Definition norm_dw k : R := of_matrix opnorm m (dW m) k.
Definition norm_wt k : R := of_matrix opnorm m (Wt m) k.
Definition norm_x : R := nrm (width m 0) (x m).
Definition norm_f : R := nrm (width m depth) (state m (W m) (b m) (x m) depth).
Definition norm_df : R :=
  nrm (width m depth) (vsub (state m (Wt m) (bt m) (x m) depth) (state m (W m) (b m) (x m) depth)).
Definition norm_dwh k : R := nrm (width m (S k)) (mv (width m k) (dW m k) (state m (W m) (b m) (x m) k)).

(** Left sides. *)
Definition relative : R := norm_df / norm_f.
Definition absolute : R := norm_df.

(** Hypotheses that are not formulas. *)
Definition biases : Prop := no_biases m.
Definition nonzero : Prop := 0 < norm_f.
Definition finite_kappa_w : Prop := forall k, (k < depth)%nat -> 0 < of_matrix smin m (W m) k.
Definition finite_kappa_wt : Prop := forall k, (k < depth)%nat -> 0 < of_matrix smin m (Wt m) k.
Definition finite_kappa_dw : Prop := forall k, (k < depth)%nat -> zero_at m k \/ 0 < of_matrix smin m (dW m) k.
(** never_contracts *)
Definition widths : Prop := forall k, (k < depth)%nat -> (width m k <= width m (S k))%nat.
Definition relu : Prop := is_relu m.
Definition scalars : Prop :=
  depth = 2%nat /\ (forall k, (k <= 2)%nat -> width m k = 1%nat) /\ forall k u, (k < 2)%nat -> phi m k u = u.

End Fields.
End OfFunction.

(** ** The Jacobian J_l of the layers l + 1, ..., L *)

Module OfJacobian.

(** [derivative] is ∂f/∂h_l, of f itself: where f has partial derivatives at h_l, they are its entries. *)
Record measurement := {
  net :> network;
  x : vec;
  layer : nat;
  depth : nat;
  split : layers net = (layer + depth)%nat;
  depth_pos : (0 < depth)%nat;
  G : nat -> vec;
  Gt : nat -> vec;
  slopes : forall k i, (layer <= k < layer + depth)%nat -> (i < width net (S k))%nat ->
    limit_slope (phi net k) (preactivation net (W net) (b net) x k i) (G k i) /\
    limit_slope (phi net k) (preactivation net (Wt net) (bt net) x k i) (Gt k i);
  derivative : mat;
  derived : forall i j, (i < width net (layer + depth))%nat -> (j < width net layer)%nat ->
    let f s := biased_net (phi net) (width net) (W net) (b net)
                 (vadd (state net (W net) (b net) x layer) (fun a => s * col idm j a)) layer depth i in
    (exists d, derivable_pt_lim f 0 d) -> derivable_pt_lim f 0 (derivative i j)
}.

Section Fields.
Variable m : measurement.

(** Entry k is layer l + k + 1. *)

Definition alphas k : R := al m (layer m + k).
Definition betas k : R := be m (layer m + k).
Definition alpha : R := smallest (depth m) alphas.
Definition beta : R := largest (depth m) betas.
Definition delta k : R := delta_at m (layer m + k).
Definition rho k : R := rho_at m (layer m + k).
Definition kappa_w k : R := of_matrix cond m (W m) (layer m + k).
Definition kappa_dw k : R := of_matrix cond m (dW m) (layer m + k).
Definition kappa_wt k : R := of_matrix cond m (Wt m) (layer m + k).
Definition kappa : R := largest (depth m) (fun k => Rmax (Rmax (kappa_w k) (kappa_dw k)) (kappa_wt k)).
Definition norm_w k : R := of_matrix opnorm m (W m) (layer m + k).
Definition norm_dw k : R := of_matrix opnorm m (dW m) (layer m + k).
Definition norm_wt k : R := of_matrix opnorm m (Wt m) (layer m + k).

Definition jacobian (V : nat -> mat) (F : nat -> vec) : mat := jac (width m) F V (layer m) (depth m).
Definition size (A : mat) : R := fro (width m (layer m + depth m)) (width m (layer m)) A.

Definition relative : R :=
  size (msub (jacobian (Wt m) (Gt m)) (jacobian (W m) (G m))) / size (jacobian (W m) (G m)).
Definition derivative_gap : R :=
  size (msub (jacobian (W m) (G m)) (derivative m)) / size (jacobian (W m) (G m)).
Definition biases : Prop := no_biases m.
Definition nonzero : Prop := 0 < size (jacobian (W m) (G m)).
Definition finite_kappa_w : Prop := forall k, (k < depth m)%nat -> 0 < of_matrix smin m (W m) (layer m + k).
Definition finite_kappa_wt : Prop := forall k, (k < depth m)%nat -> 0 < of_matrix smin m (Wt m) (layer m + k).
Definition finite_kappa_dw : Prop := forall k, (k < depth m)%nat ->
  zero_at m (layer m + k) \/ 0 < of_matrix smin m (dW m) (layer m + k).
(** is_valley *)
Definition widths : Prop := valley (width m) (layer m) (layer m + depth m).
Definition relu : Prop := is_relu m.
Definition differentiable : Prop := forall k i, (layer m <= k < layer m + depth m)%nat -> (i < width m (S k))%nat ->
  exists s, derivable_pt_lim (phi m k) (preactivation m (W m) (b m) (x m) k i) s.

End Fields.

(** There is no rounding in real arithmetic. *)
Definition jacobian_rounding (m : measurement) : R := 0.

End OfJacobian.

(** ** Gradients of a loss along the segment *)

Module OfDescent.

(** g_l at the weights V, by backpropagation: Σ_a e_{l,a} h_{l−1,a}ᵀ over the inputs a. *)
Definition gradient_of (m : network) N (x : nat -> vec) (F : (nat -> mat) -> nat -> nat -> vec)
  (c : (nat -> mat) -> nat -> vec) (V : nat -> mat) (l : nat) : mat :=
  fun i j => sum N (fun a => outer (sensitivity (width m) (layers m) V (F V a) (c V a) l)
                                   (state m V (b m) (x a) l) i j).

(** ‖g_l(V) − g_l(W)‖_F/‖g_l(W)‖_F *)
Definition change_of (m : network) (g : (nat -> mat) -> nat -> mat) (V : nat -> mat) (l : nat) : R :=
  fro (width m (S l)) (width m l) (msub (g V l) (g (W m) l)) / fro (width m (S l)) (width m l) (g (W m) l).

(** [c V a] is ∂𝓛/∂f at the a-th input, [F V a] the slopes there; W + tΔW is [along W ΔW t].
    [supremum] and [primitive] are of the change of the gradient: its maximum, and ∫₀ᵗ of it. *)
Record measurement := {
  net :> network;
  inputs : nat;
  x : nat -> vec;
  loss : (nat -> mat) -> R;
  F : (nat -> mat) -> nat -> nat -> vec;
  c : (nat -> mat) -> nat -> vec;
  kinks : list R;
  supremum : nat -> R;
  primitive : nat -> R -> R;
  g := gradient_of net inputs x F c;
  on t := along (W net) (dW net) t;
  same_biases : forall k i, (k < layers net)%nat -> (i < width net (S k))%nat -> bt net k i = b net k i;
  slopes : forall t a k i, 0 <= t <= 1 -> (a < inputs)%nat -> (k < layers net)%nat -> (i < width net (S k))%nat ->
    limit_slope (phi net k) (preactivation net (on t) (b net) (x a) k i) (F (on t) a k i);
  continuous : forall t, 0 <= t <= 1 -> continuity_pt (fun s => loss (on s)) t;
  sloping : forall t, 0 < t < 1 -> ~ In t kinks ->
    derivable_pt_lim (fun s => loss (on s)) t
      (pdot (layers net) (fun k => width net (S k)) (width net) (g (on t)) (dW net));
  is_supremum : forall l, (l < layers net)%nat ->
    is_lub (fun r => exists t, 0 <= t <= 1 /\ r = change_of net g (on t) l) (supremum l);
  is_continuous : forall l t, (l < layers net)%nat -> 0 <= t <= 1 -> continuity_pt (primitive l) t;
  is_primitive : forall l t, (l < layers net)%nat -> 0 < t < 1 -> ~ In t kinks ->
    derivable_pt_lim (primitive l) t (change_of net g (on t) l)
}.

Section Fields.
Variable m : measurement.

Definition depth : nat := layers m.
Definition alphas k : R := al m k.
Definition betas k : R := be m k.
Definition alpha : R := smallest depth alphas.
Definition beta : R := largest depth betas.
Definition delta k : R := delta_at m k.
Definition rho k : R := rho_at m k.
Definition kappa_w k : R := of_matrix cond m (W m) k.
Definition eta : R := largest depth delta.
Definition norm_g k : R := fro (width m (S k)) (width m k) (g m (W m) k).
Definition norm_step k : R := fro (width m (S k)) (width m k) (dW m k).
Definition lever k : R := norm_g k * norm_step k.
Definition cosines k : R :=
  cosine (width m (S k)) (width m k) (dW m k) (mscal (-1) (g m (W m) k)).
Definition breakdown k : R := supremum m k.
Definition mean_breakdown k : R := primitive m k 1 - primitive m k 0.
Definition gradient_change (t : R) k : R := change_of m (g m) (on m t) k.
(** Mᵀ = Σ_a x_a (∂𝓛/∂f_a)ᵀ *)
Definition end_to_end (V : nat -> mat) : mat := inputs_times (inputs m) (x m) (c m V).
Definition gamma : R :=
  fro (width m 0) (width m depth) (msub (end_to_end (Wt m)) (end_to_end (W m)))
  / fro (width m 0) (width m depth) (end_to_end (W m)).

Definition excess : R :=
  Rmax (loss m (Wt m) - loss m (W m) - pdot depth (fun k => width m (S k)) (width m) (g m (W m)) (dW m)) 0.
Definition change : R := largest depth (fun l => change_of m (g m) (Wt m) l).

Definition biases : Prop := no_biases m.
Definition finite_kappa_w : Prop := forall k, (k < depth)%nat -> 0 < of_matrix smin m (W m) k.
(** δ_k divides by ‖W_k‖_F. *)
Definition finite_eta : Prop := forall k, (k < depth)%nat -> 0 < fro (width m (S k)) (width m k) (W m k).
(** spares_gradients *)
Definition widths : Prop :=
  (forall k, (S k < depth)%nat -> (width m k <= width m (S k))%nat) /\
  (forall k, (0 < k < depth)%nat -> (width m (S k) <= width m k)%nat).

End Fields.
End OfDescent.

(** ** One step of an optimiser *)

Module OfStep.

Record measurement := {
  rows : nat;
  columns : nat;
  weight : mat;
  gradient : mat;
  eta : R;
  weight_nonzero : 0 < fro rows columns weight;
  gradient_nonzero : 0 < fro rows columns gradient;
  eta_pos : 0 < eta
}.

Section Fields.
Variable m : measurement.

Definition share (A : mat) : R := fro (rows m) (columns m) A / fro (rows m) (columns m) (weight m).
Definition after_fromage : mat := fromage (rows m) (columns m) (eta m) (weight m) (gradient m).
Definition after_lars : mat := lars (rows m) (columns m) (eta m) (weight m) (gradient m).
(** LARS as published, with the parameters that make it Algorithm 1. *)
Definition after_as_lars : mat :=
  lars_published (rows m) (columns m) (weight m) (gradient m)
    (prefactor (eta m) * eta m * (1 + decay_ratio (eta m)))
    (decay_ratio (eta m) * (fro (rows m) (columns m) (gradient m) / fro (rows m) (columns m) (weight m))).

Definition cosine : R := cos_angle (rows m) (columns m) (weight m) (gradient m).
Definition size : R := share (msub after_fromage (weight m)).
Definition lars_size : R := share (msub after_lars (weight m)).
Definition kept : R := share after_fromage.
Definition grown : R := share after_lars.
Definition gap : R := share (msub after_as_lars after_fromage).
Definition deviation : R := Rabs (size - eta m).

End Fields.

(** There is no rounding in real arithmetic. *)
Definition error (m : measurement) : R := 0.
Definition cosine_error (m : measurement) : R := 0.
Definition formula_error (m : measurement) : R := 0.
(** The cosine that counts as zero. *)
Definition zero_cosine (m : measurement) : R := 0.

End OfStep.
