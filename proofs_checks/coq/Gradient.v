(** * Relative change of the gradient: what is true of relative trust

    The gradient of layer l, g_l = ∂𝓛/∂W_l = Σ_i e_{l,i} h_{l−1,i}ᵀ, where c_i = ∂𝓛/∂f_i and
    e_{l,i} = Φ'_l J_lᵀ c_i, over the inputs i ([gradient]; it is the derivative of the loss:
    [gradient_correct]).

    spectral-relative-trust.constant    For one input, widths n_0 <= n_1 = ··· = n_{L−1} >= n_L, positive, and
    s_min(W_k) > 0,

      ‖g̃_l − g_l‖_F/‖g_l‖_F <= Π_{k<l} (β_k/α_k) · Π_{k≠l} κ(W_k)
                                · [(1+γ) Π_{k>=l} (β_k/α_k) · Π_{k≠l} (1+ρ_k) − 1],
      γ = ‖c̃ − c‖/‖c‖                                                      ([one_input_gradient])

    and for any number of inputs if every φ_k is linear, with γ = ‖M̃ − M‖_F/‖M‖_F, M = Σ_i c_i x_iᵀ
                                                                             ([linear_gradient]).

    For a loss that is linear in f, γ = 0: spectral relative trust is then true of linear networks up
    to the factor Π κ(W_k), hence as it stands for orthogonal layers.

    Correspondence: layers are numbered from 0, so l here is l − 1 above.  Of the widths only what
    layer l needs is assumed: those below never contract, those above never expand.  G k i is any
    slope with α_k <= σ_k G k i <= β_k, as in JacobianBounds.v.  g_l ≠ 0 is not assumed but proved.

    Proof: the transpose of g_l is h c^T (or, of a linear network, W_{l−1}···W_0 M^T), multiplied on
    the right by the layers from the last down to l + 1, and by Φ'_l. *)

From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From DRT Require Import Sums Norms Conditioning Transmission Recursion Network
  FunctionBounds JacobianBounds.
Open Scope R_scope.

Definition outer (u v : vec) : mat := fun i j => u i * v j.

(** ‖u vᵀ‖_F = ‖u‖ ‖v‖ *)
Lemma fro_outer m n u v : fro m n (outer u v) = nrm m u * nrm n v.
Proof.
  rewrite fro_columns.
  rewrite (nrm_ext n _ (fun j => nrm m u * Rabs (v j))).
  2:{ intros j _. rewrite (nrm_ext m _ (fun i => v j * u i))
        by (intros; unfold col, outer; ring). rewrite nrm_scal; ring. }
  rewrite nrm_scal, Rabs_right by apply Rle_ge, nrm_nonneg. f_equal.
  unfold nrm, dot. f_equal. apply sum_ext; intros. rewrite <- Rabs_mult. apply Rabs_right. nra.
Qed.

(** ** The gradient *)

Section Gradient.

Variables (phi : nat -> R -> R) (w : nat -> nat) (L : nat).

(** e_l = Φ'_l J_lᵀ c, of one input *)
Definition sensitivity (V : nat -> mat) (G : nat -> vec) (c : vec) (l : nat) : vec :=
  fun i => G l i * mv (w L) (tr (jac w G V (S l) (L - S l))) c i.

(** g_l, of N inputs x a with slopes G a, c a the derivative of the loss with respect to the output. *)
Definition gradient (V : nat -> mat) N (G : nat -> nat -> vec) (x c : nat -> vec) (l : nat) : mat :=
  fun i j => sum N (fun a => outer (sensitivity V (G a) (c a) l) (net phi w V (x a) 0 l) i j).

(** The weights with V_l replaced. *)
Definition replaced (V : nat -> mat) l (A : mat) : nat -> mat :=
  fun k => if Nat.eqb k l then A else V k.

Lemma net_ext V V' h lo k :
  (forall j, (lo <= j < lo + k)%nat -> V j = V' j) -> net phi w V h lo k = net phi w V' h lo k.
Proof.
  induction k as [|k IH]; intros H; simpl; [reflexivity|].
  rewrite IH by (intros; apply H; lia). rewrite (H (lo + k)%nat) by lia. reflexivity.
Qed.

Lemma net_split V h lo a b : net phi w V h lo (a + b) = net phi w V (net phi w V h lo a) (lo + a) b.
Proof.
  induction b as [|b IH]; [rewrite Nat.add_0_r; reflexivity|].
  rewrite Nat.add_succ_r. simpl. rewrite IH, Nat.add_assoc. reflexivity.
Qed.

(** The network as a function of W_l alone. *)
Lemma net_replaced V A x l : (l < L)%nat ->
  net phi w (replaced V l A) x 0 L
  = net phi w V (vphi (phi l) (mv (w l) A (net phi w V x 0 l))) (S l) (L - S l).
Proof.
  intros Hl. replace L with (S l + (L - S l))%nat at 1 by lia.
  rewrite net_split. change (0 + S l)%nat with (S l).
  rewrite (net_ext (replaced V l A) V _ (S l)).
  2:{ intros j Hj. unfold replaced. destruct (Nat.eqb_spec j l); [lia|reflexivity]. }
  f_equal. simpl. rewrite (net_ext (replaced V l A) V x 0).
  2:{ intros j Hj. unfold replaced. destruct (Nat.eqb_spec j l); [lia|reflexivity]. }
  unfold replaced. rewrite Nat.eqb_refl. reflexivity.
Qed.

(** Slopes of φ at the pre-activations of all layers. *)
Definition slopes_at V x (G : nat -> vec) : Prop :=
  forall k i, (k < L)%nat -> (i < w (S k))%nat ->
    derivable_pt_lim (phi k) (mv (w k) (V k) (net phi w V x 0 k) i) (G k i).

(** ⟨g_l, H⟩ of one input, as what a change H of W_l does to the loss through the output. *)
Lemma sensitivity_dot V G c x l H :
  dotF (w (S l)) (w l) (outer (sensitivity V G c l) (net phi w V x 0 l)) H
  = dot (w L) c (mv (w (S l)) (jac w G V (S l) (L - S l))
                    (fun i => G l i * mv (w l) H (net phi w V x 0 l) i)).
Proof.
  set (J := jac w G V (S l) (L - S l)). set (h := net phi w V x 0 l).
  set (u := fun i => G l i * mv (w l) H h i).
  assert (E : dot (w L) c (mv (w (S l)) J u) = dot (w (S l)) u (mv (w L) (tr J) c)).
  { rewrite <- dot_mv. unfold dot. apply sum_ext; intros; ring. }
  rewrite E. unfold dotF, dot, col, outer, sensitivity, u, mv at 2. fold J.
  rewrite sum_swap. apply sum_ext; intros i _.
  rewrite (sum_ext (w l) _ (fun j => (G l i * mv (w L) (tr J) c i) * (H i j * h j)))
    by (intros; ring).
  rewrite sum_scal. ring.
Qed.

(** The derivative of the loss along any change H of W_l is ⟨g_l, H⟩. *)
Theorem gradient_correct V N G x c l H (loss : (nat -> vec) -> R) :
  (l < L)%nat ->
  (forall a, (a < N)%nat -> slopes_at V (x a) (G a)) ->
  (forall y v : R -> nat -> vec,
     (forall a, y 0 a = net phi w V (x a) 0 L) ->
     (forall a i, (a < N)%nat -> (i < w L)%nat ->
        derivable_pt_lim (fun s => y s a i) 0 (v 0 a i)) ->
     derivable_pt_lim (fun s => loss (y s)) 0 (sum N (fun a => dot (w L) (c a) (v 0 a)))) ->
  derivable_pt_lim
    (fun s => loss (fun a => net phi w (replaced V l (madd (V l) (mscal s H))) (x a) 0 L)) 0
    (dotF (w (S l)) (w l) (gradient V N G x c l) H).
Proof.
  intros Hl HG Hloss.
  set (v := fun a => mv (w (S l)) (jac w (G a) V (S l) (L - S l))
                        (fun i => G a l i * mv (w l) H (net phi w V (x a) 0 l) i)).
  assert (E : dotF (w (S l)) (w l) (gradient V N G x c l) H
              = sum N (fun a => dot (w L) (c a) (v a))).
  { transitivity (sum N (fun a => dotF (w (S l)) (w l)
      (outer (sensitivity V (G a) (c a) l) (net phi w V (x a) 0 l)) H)).
    2:{ apply sum_ext; intros. apply sensitivity_dot. }
    unfold gradient, dotF, dot, col. rewrite (sum_swap N). apply sum_ext; intros j _.
    rewrite (sum_swap N). apply sum_ext; intros i _.
    rewrite Rmult_comm, <- sum_scal. apply sum_ext; intros; ring. }
  rewrite E.
  apply (Hloss (fun s a => net phi w (replaced V l (madd (V l) (mscal s H))) (x a) 0 L) (fun _ => v)).
  - intros a. f_equal. apply functional_extensionality; intros k. unfold replaced.
    destruct (Nat.eqb_spec k l) as [->|]; [|reflexivity].
    apply functional_extensionality; intros i; apply functional_extensionality; intros j.
    unfold madd, mscal. ring.
  - intros a i Ha Hi. set (h := net phi w V (x a) 0 l).
    set (state := fun s => vphi (phi l) (mv (w l) (madd (V l) (mscal s H)) h)).
    assert (F : (fun s => net phi w (replaced V l (madd (V l) (mscal s H))) (x a) 0 L i)
                = fun s => biased_net phi w V no_bias (state s) (S l) (L - S l) i).
    { apply functional_extensionality; intros s. rewrite net_replaced by exact Hl.
      rewrite biased_net_no_bias. reflexivity. }
    rewrite F. assert (Hmv : forall s j, mv (w l) (madd (V l) (mscal s H)) h j
                                 = mv (w l) (V l) h j + s * mv (w l) H h j).
    { intros. unfold mv, madd, mscal. rewrite <- sum_scal, <- sum_plus.
      apply sum_ext; intros; ring. }
    apply proposition1.
    + (* the slopes above l: the state at s = 0 is h_{l+1} *)
      assert (E0 : state 0 = net phi w V (x a) 0 (S l)).
      { apply functional_extensionality; intros j. unfold state, vphi. rewrite Hmv.
        simpl. unfold vphi. fold h. f_equal. ring. }
      intros k j Hk Hj. rewrite E0.
      assert (D := HG a Ha (S l + k)%nat j ltac:(lia) Hj).
      replace (pre w V no_bias (S l) k _ j)
        with (mv (w (S l + k)%nat) (V (S l + k)%nat) (net phi w V (x a) 0 (S l + k)) j); [exact D|].
      unfold pre, vadd, no_bias. rewrite Rplus_0_r, (net_split V (x a) 0 (S l) k).
      unfold mv. apply sum_ext; intros. rewrite biased_net_no_bias. reflexivity.
    + intros j Hj. unfold state, vphi.
      assert (D := HG a Ha l j Hl Hj). fold h in D.
      rewrite (functional_extensionality _ (fun s => phi l (mv (w l) (V l) h j + s * mv (w l) H h j)))
        by (intros; rewrite Hmv; reflexivity).
      apply (derivable_pt_lim_comp (fun s => mv (w l) (V l) h j + s * mv (w l) H h j) (phi l)).
      * assert (P : derivable_pt_lim (fun s => mv (w l) (V l) h j + s * mv (w l) H h j) 0
                      (0 + (1 * mv (w l) H h j + 0 * 0))).
        { apply (derivable_pt_lim_plus (fun _ => mv (w l) (V l) h j) (fun s => s * mv (w l) H h j)).
          - apply derivable_pt_lim_const.
          - apply (derivable_pt_lim_mult (fun s => s) (fun _ => mv (w l) H h j));
              [apply derivable_pt_lim_id|apply derivable_pt_lim_const]. }
        replace (0 + (1 * mv (w l) H h j + 0 * 0)) with (mv (w l) H h j) in P by ring. exact P.
      * rewrite Rmult_0_l, Rplus_0_r. exact D.
    + replace (S l + (L - S l))%nat with L by lia. exact Hi.
Qed.

End Gradient.

(** ** Multiplied by the layers above l *)

(** The three terms of ũṽᵀ − uvᵀ: the start of the recursion, Equation 3 once more. *)
Lemma outer_change C P gamma m n u ut v vt :
  1 <= C -> 1 <= P ->
  nrm m (vsub ut u) <= C * (P - 1) * nrm m u ->
  nrm n (vsub vt v) <= gamma * nrm n v ->
  0 <= gamma ->
  fro m n (msub (outer ut vt) (outer u v)) <= C * (P * (1 + gamma) - 1) * fro m n (outer u v).
Proof.
  intros HC HP Hu Hv Hg.
  rewrite (fro_ext m n _ (madd (outer (vsub ut u) vt) (outer u (vsub vt v))))
    by (intros; unfold msub, madd, outer, vsub; ring).
  eapply Rle_trans; [apply fro_triangle|]. rewrite !fro_outer.
  assert (Hvt : nrm n vt <= (1 + gamma) * nrm n v).
  { rewrite (nrm_ext n vt (vadd v (vsub vt v))) by (intros; unfold vadd, vsub; ring).
    eapply Rle_trans; [apply triangle|lra]. }
  set (a := nrm m u) in *. set (b := nrm n v) in *.
  assert (0 <= a) by apply nrm_nonneg. assert (0 <= b) by apply nrm_nonneg.
  assert (H1 : nrm m (vsub ut u) * nrm n vt <= C * (P - 1) * a * ((1 + gamma) * b))
    by (apply Rmult_le_compat; auto using nrm_nonneg).
  assert (H2 : a * nrm n (vsub vt v) <= a * (gamma * b)) by (apply Rmult_le_compat_l; auto).
  assert (H3 : 0 <= (C - 1) * (gamma * (a * b))) by (repeat apply Rmult_le_pos; lra).
  lra.
Qed.

Section Above.

Variables (al be sg : nat -> R) (w : nat -> nat) (l L q : nat).
Variables (W Wt : nat -> mat) (G Gt : nat -> vec) (M Mt : mat).
Hypothesis Hl : (l < L)%nat.
Hypothesis Hal : forall k, (l <= k < L)%nat -> 0 < al k.
Hypothesis Hab : forall k, (l <= k < L)%nat -> al k <= be k.
Hypothesis Hsg : forall k, (l <= k < L)%nat -> is_sign (sg k).
Hypothesis Hfall : forall k, (l < k < L)%nat -> (w (S k) <= w k)%nat.
Hypothesis Hs : forall k, (l < k < L)%nat -> 0 < smin (w (S k)) (w k) (W k).
Hypothesis HG : forall k i, (l <= k < L)%nat -> (i < w (S k))%nat ->
  slope (al k) (be k) (sg k) (G k i).
Hypothesis HGt : forall k i, (l <= k < L)%nat -> (i < w (S k))%nat ->
  slope (al k) (be k) (sg k) (Gt k i).

(** M J_l Φ'_l: the transpose of a gradient, where M is q × n_L. *)
Definition passed (V : nat -> mat) (F : nat -> vec) (A : mat) : mat :=
  gd (mm (w L) A (jac w F V (S l) (L - S l))) (F l).

(** After the t uppermost layers. *)
Let at_depth V F A t := mm (w L) A (jac w F V (L - t) t).
Let size t := fro q (w (L - t)%nat) (at_depth W G M t).
Let err t := fro q (w (L - t)%nat) (msub (at_depth Wt Gt Mt t) (at_depth W G M t)).

Lemma at_depth_step V F A t i j : (S l + S t <= L)%nat -> (j < w (L - S t))%nat ->
  at_depth V F A (S t) i j
  = mm (w (L - t)%nat) (at_depth V F A t) (dg (F (L - S t)%nat) (V (L - S t)%nat)) i j.
Proof.
  intros Ht Hj. unfold at_depth.
  rewrite (mm_ext _ A A _ (mm (w (L - t)%nat) (jac w F V (L - t) t)
                              (dg (F (L - S t)%nat) (V (L - S t)%nat)))).
  - rewrite mm_assoc. reflexivity.
  - reflexivity.
  - intros k Hk. rewrite jac_cons; [|exact Hj|replace (L - S t + S t)%nat with L by lia; exact Hk].
    replace (S (L - S t)) with (L - t)%nat by lia. reflexivity.
Qed.

Lemma passed_bound C P :
  1 <= C -> 1 <= P ->
  0 < fro q (w L) M ->
  fro q (w L) (msub Mt M) <= C * (P - 1) * fro q (w L) M ->
  0 < fro q (w (S l)) (passed W G M) /\
  fro q (w (S l)) (msub (passed Wt Gt Mt) (passed W G M)) / fro q (w (S l)) (passed W G M)
  <= C * prod (L - S l) (fun k => cond (w (S (S l + k))) (w (S l + k)%nat) (W (S l + k)%nat))
     * (P * (prod (L - S l) (fun k => be (S l + k)%nat / al (S l + k)%nat
                * (1 + rho (w (S (S l + k))) (w (S l + k)%nat) (W (S l + k)%nat)
                           (change W Wt (S l + k)))) * (be l / al l)) - 1).
Proof.
  intros HC HP HM Hstart. set (n := (L - S l)%nat).
  set (c := fun k => cond (w (S k)) (w k) (W k)).
  set (D := fun k => be k / al k * (1 + rho (w (S k)) (w k) (W k) (change W Wt k))).
  set (lo := fun k => al k * smin (w (S k)) (w k) (W k)).
  assert (Hnum : forall k, (l < k < L)%nat -> 0 < lo k /\ 1 <= c k /\ 1 <= D k).
  { intros k Hk. assert (Ha := Hal k ltac:(lia)). assert (Hsk := Hs k Hk).
    destruct (layer_bound_spectral _ _ _ (change W Wt k) Hsk) as [_ [Hc [Hd _]]].
    split; [apply Rmult_lt_0_compat; assumption|]. split; [exact Hc|].
    apply amplification_ge1; auto. apply Hab; lia. }
  assert (Hstep : forall t, (t < n)%nat ->
    lo (L - S t)%nat * size t <= size (S t) /\
    err (S t) <= c (L - S t)%nat * lo (L - S t)%nat
                 * (D (L - S t)%nat * err t + (D (L - S t)%nat - 1) * size t)).
  { intros t Ht. set (k := (L - S t)%nat). assert (Hk : (l < k < L)%nat) by (unfold k, n in *; lia).
    destruct (layer_bound_spectral _ _ _ (change W Wt k) (Hs k Hk)) as [Hsk [Hc [Hd [Ha He]]]].
    assert (F := falling_step (al k) (be k) (sg k) (Hal k ltac:(lia)) (Hab k ltac:(lia))
      (Hsg k ltac:(lia)) q (w (S k)) (w k) (G k) (Gt k) (W k) (Wt k)
      (at_depth W G M t) (at_depth Wt Gt Mt t) (Hfall k Hk)
      (fun i Hi => HG k i ltac:(lia) Hi) (fun i Hi => HGt k i ltac:(lia) Hi)).
    assert (Esize : size t = fro q (w (S k)) (at_depth W G M t))
      by (unfold size; replace (L - t)%nat with (S k) by (unfold k, n in *; lia); reflexivity).
    assert (Eerr : err t = fro q (w (S k)) (msub (at_depth Wt Gt Mt t) (at_depth W G M t)))
      by (unfold err; replace (L - t)%nat with (S k) by (unfold k, n in *; lia); reflexivity).
    assert (Esize' : size (S t) = fro q (w k) (mm (w (S k)) (at_depth W G M t) (dg (G k) (W k)))).
    { unfold size. fold k. apply fro_ext; intros i j _ Hj.
      rewrite at_depth_step by (try exact Hj; unfold n in *; lia).
      replace (L - t)%nat with (S k) by (unfold k, n in *; lia). reflexivity. }
    assert (Eerr' : err (S t) = fro q (w k)
       (msub (mm (w (S k)) (at_depth Wt Gt Mt t) (dg (Gt k) (Wt k)))
             (mm (w (S k)) (at_depth W G M t) (dg (G k) (W k))))).
    { unfold err. fold k. apply fro_ext; intros i j _ Hj. unfold msub.
      rewrite !at_depth_step by (try exact Hj; unfold n in *; lia).
      replace (L - t)%nat with (S k) by (unfold k, n in *; lia). reflexivity. }
    rewrite Esize, Eerr, Esize', Eerr'.
    apply (layer_step_recursion (al k) (be k) (Hal k ltac:(lia)) (Hab k ltac:(lia))
             _ _ _ _ _ _ _ _ _ Hsk Hc Hd Ha He); [apply fro_nonneg|apply fro_nonneg|exact F]. }
  assert (E0 : forall F V A i j, (j < w L)%nat -> at_depth V F A 0 i j = A i j).
  { intros F V A i j Hj. unfold at_depth. simpl. apply mm_idm_r, Hj. }
  assert (Esize0 : size 0%nat = fro q (w L) M)
    by (unfold size; rewrite Nat.sub_0_r; apply fro_ext; intros; apply E0; assumption).
  assert (Eerr0 : err 0%nat = fro q (w L) (msub Mt M)).
  { unfold err; rewrite Nat.sub_0_r; apply fro_ext; intros. unfold msub.
    rewrite !E0; auto. }
  assert (Hpos : forall t, (t <= n)%nat -> 0 < size t).
  { induction t as [|t IH]; intros Ht; [rewrite Esize0; exact HM|].
    destruct (Hstep t) as [H _]; [lia|]. eapply Rlt_le_trans; [|exact H].
    apply Rmult_lt_0_compat; [apply Hnum; unfold n in *; lia|apply IH; lia]. }
  assert (R := relative_recursion n err size (fun t => lo (L - S t)%nat) (fun t => c (L - S t)%nat)
                 (fun t => D (L - S t)%nat) C P HC HP).
  assert (Eprod : forall f, prod n (fun t => f (L - S t)%nat) = prod n (fun k => f (S l + k)%nat)).
  { intros f. rewrite <- (prod_rev n (fun k => f (S l + k)%nat)).
    apply prod_ext; intros. f_equal. unfold n in *. lia. }
  rewrite (Eprod c), (Eprod D) in R.
  assert (Hn : err n <= C * prod n (fun k => c (S l + k)%nat)
                        * (P * prod n (fun k => D (S l + k)%nat) - 1) * size n).
  { apply R; clear R.
    - intros t Ht. destruct (Hnum (L - S t)%nat) as [H1 [H2 H3]]; [unfold n in *; lia|]. lra.
    - intros; apply fro_nonneg.
    - intros t Ht. apply Hstep, Ht.
    - intros t Ht. apply Hstep, Ht.
    - rewrite Esize0, Eerr0. exact Hstart. }
  (* Φ'_l: a layer without a matrix *)
  assert (Hal0 := Hal l ltac:(lia)). assert (Hab0 := Hab l ltac:(lia)).
  assert (Hsize : al l * size n <= fro q (w (S l)) (passed W G M)).
  { unfold size, n. replace (L - (L - S l))%nat with (S l) by lia. unfold passed, at_depth.
    replace (L - (L - S l))%nat with (S l) by lia.
    apply fro_gd_ge; [lra|]; intros. apply slope_ge with (be l) (sg l); [apply Hsg; lia|apply HG; auto; lia]. }
  assert (Herr : fro q (w (S l)) (msub (passed Wt Gt Mt) (passed W G M))
                 <= be l * err n + (be l - al l) * size n).
  { unfold size, err, n. replace (L - (L - S l))%nat with (S l) by lia.
    unfold passed, at_depth. replace (L - (L - S l))%nat with (S l) by lia.
    set (A := mm (w L) M _). set (At := mm (w L) Mt _).
    rewrite (fro_ext q (w (S l)) _ (madd (gd (msub At A) (Gt l)) (gd A (vsub (Gt l) (G l)))))
      by (intros; unfold msub, madd, gd, vsub; ring).
    eapply Rle_trans; [apply fro_triangle|]. apply Rplus_le_compat.
    - apply fro_gd_le; [lra|]; intros. apply slope_le with (al l) (sg l); [lra|apply Hsg; lia|apply HGt; auto; lia].
    - apply fro_gd_le; [lra|]; intros. unfold vsub.
      apply slope_diff with (sg l); [apply Hsg; lia|apply HG; auto; lia|apply HGt; auto; lia]. }
  assert (Hposn := Hpos n (Nat.le_refl n)).
  assert (Hpos' : 0 < fro q (w (S l)) (passed W G M))
    by (eapply Rlt_le_trans; [|exact Hsize]; apply Rmult_lt_0_compat; assumption).
  split; [exact Hpos'|]. apply quotient_le; [exact Hpos'|].
  assert (HPn : 1 <= P * prod n (fun k => D (S l + k)%nat)).
  { replace 1 with (1 * 1) by ring. apply Rmult_le_compat; try lra.
    apply prod_ge1; intros. apply Hnum; unfold n in *; lia. }
  assert (HCn : 1 <= C * prod n (fun k => c (S l + k)%nat)).
  { replace 1 with (1 * 1) by ring. apply Rmult_le_compat; try lra.
    apply prod_ge1; intros. apply Hnum; unfold n in *; lia. }
  assert (Hr : 1 <= be l / al l).
  { assert (H := amplification_ge1 (al l) (be l) Hal0 Hab0 0 ltac:(lra)). lra. }
  assert (F := recursion_step (C * prod n (fun k => c (S l + k)%nat)) 1 (be l / al l)
     (P * prod n (fun k => D (S l + k)%nat)) (al l) (size n)
     (fro q (w (S l)) (passed W G M)) (err n)
     (fro q (w (S l)) (msub (passed Wt Gt Mt) (passed W G M)))
     HCn (Rle_refl 1) Hr HPn (Rlt_le _ _ Hal0) (Rlt_le _ _ Hposn) Hsize).
  rewrite Rmult_1_r in F. rewrite <- Rmult_assoc. apply F; [|exact Hn].
  eapply Rle_trans; [exact Herr|]. right. field. lra.
Qed.

End Above.

(** ** One input *)

Section OneInput.

Variables (phi : nat -> R -> R) (al be sg : nat -> R) (w : nat -> nat) (l L : nat).
Variables (W Wt : nat -> mat) (G Gt : nat -> vec) (x c ct : vec).
Hypothesis Hl : (l < L)%nat.
Hypothesis Hal : forall k, (k < L)%nat -> 0 < al k.
Hypothesis Hphi : forall k, (k < L)%nat -> transmits (al k) (be k) (phi k).
Hypothesis Hsg : forall k, (k < L)%nat -> is_sign (sg k).
Hypothesis Hrise : forall k, (k < l)%nat -> (w k <= w (S k))%nat.
Hypothesis Hfall : forall k, (l < k < L)%nat -> (w (S k) <= w k)%nat.
Hypothesis Hs : forall k, (k < L)%nat -> k <> l -> 0 < smin (w (S k)) (w k) (W k).
Hypothesis HG : forall k i, (l <= k < L)%nat -> (i < w (S k))%nat ->
  slope (al k) (be k) (sg k) (G k i).
Hypothesis HGt : forall k i, (l <= k < L)%nat -> (i < w (S k))%nat ->
  slope (al k) (be k) (sg k) (Gt k i).
Hypothesis Hx : 0 < nrm (w 0%nat) x.
Hypothesis Hc : 0 < nrm (w L) c.

Let kappa k := cond (w (S k)) (w k) (W k).
Let ratio k := be k / al k.
Let rho k := rho (w (S k)) (w k) (W k) (change W Wt k).
Let one (F : nat -> vec) : nat -> nat -> vec := fun _ => F.
Let g := gradient phi w L W 1 (one G) (fun _ => x) (fun _ => c) l.
Let gt := gradient phi w L Wt 1 (one Gt) (fun _ => x) (fun _ => ct) l.

Lemma gradient_passed V F v i j : (i < w (S l))%nat ->
  gradient phi w L V 1 (one F) (fun _ => x) (fun _ => v) l i j
  = passed w l L V F (outer (net phi w V x 0 l) v) j i.
Proof.
  intros _. unfold gradient, passed, gd, outer, sensitivity, mm, mv, tr, one. simpl.
  set (J := jac w F V (S l) (L - S l)). set (h := net phi w V x 0 l).
  rewrite (sum_ext (w L) (fun a => h j * v a * J a i) (fun a => h j * (J a i * v a)))
    by (intros; ring).
  rewrite sum_scal. ring.
Qed.

Theorem one_input_gradient :
  0 < fro (w (S l)) (w l) g /\
  fro (w (S l)) (w l) (msub gt g) / fro (w (S l)) (w l) g
  <= prod l (fun k => ratio k * kappa k) * prod (L - S l) (fun k => kappa (S l + k)%nat)
     * (prod l (fun k => 1 + rho k) * (1 + nrm (w L) (vsub ct c) / nrm (w L) c)
        * (prod (L - S l) (fun k => ratio (S l + k)%nat * (1 + rho (S l + k)%nat)) * ratio l) - 1).
Proof.
  set (gamma := nrm (w L) (vsub ct c) / nrm (w L) c).
  assert (Hg : 0 <= gamma) by (apply quotient_nonneg; [apply nrm_nonneg|exact Hc]).
  assert (Hab : forall k, (k < L)%nat -> al k <= be k)
    by (intros k Hk; apply (transmits_le (al k) (be k) (phi k)), Hphi, Hk).
  set (h := net phi w W x 0 l). set (ht := net phi w Wt x 0 l).
  assert (Hh : 0 < nrm (w l) h).
  { apply (net_pos phi al be w l W x); try lia; auto; intros; [apply Hal|apply Hphi|apply Hs]; lia. }
  assert (Hnum : forall k, (k < L)%nat -> k <> l -> 1 <= kappa k /\ 0 <= rho k).
  { intros k Hk Hne. destruct (layer_bound_spectral _ _ _ (change W Wt k) (Hs k Hk Hne)) as [_ [H1 [H2 _]]].
    split; assumption. }
  assert (Hratio : forall k, (k < L)%nat -> 1 <= ratio k).
  { intros k Hk. assert (H := amplification_ge1 (al k) (be k) (Hal k Hk) (Hab k Hk) 0 ltac:(lra)).
    unfold ratio. lra. }
  set (C := prod l (fun k => ratio k * kappa k)). set (P := prod l (fun k => 1 + rho k)).
  assert (HC : 1 <= C).
  { apply prod_ge1; intros k Hk. destruct (Hnum k); [lia|lia|]. assert (H' := Hratio k ltac:(lia)).
    replace 1 with (1 * 1) by ring. apply Rmult_le_compat; lra. }
  assert (HP : 1 <= P) by (apply prod_ge1; intros k Hk; destruct (Hnum k); [lia|lia|lra]).
  (* the states below layer l *)
  assert (Hbelow : nrm (w l) (vsub ht h) <= C * (P - 1) * nrm (w l) h).
  { apply quotient_ge; [exact Hh|].
    apply (spectral_function phi al be w l W Wt x); auto; intros; [apply Hal|apply Hphi|apply Hs]; lia. }
  assert (Hcc : nrm (w L) (vsub ct c) <= gamma * nrm (w L) c)
    by (right; unfold gamma; field; lra).
  assert (Hstart := outer_change C P gamma (w l) (w L) h ht c ct HC HP Hbelow Hcc Hg).
  assert (HM : 0 < fro (w l) (w L) (outer h c))
    by (rewrite fro_outer; apply Rmult_lt_0_compat; assumption).
  assert (HP' : 1 <= P * (1 + gamma))
    by (assert (1 * 1 <= P * (1 + gamma)) by (apply Rmult_le_compat; lra); lra).
  destruct (passed_bound al be sg w l L (w l) W Wt G Gt (outer h c) (outer ht ct) Hl
    (fun k Hk => Hal k (proj2 Hk)) (fun k Hk => Hab k (proj2 Hk)) (fun k Hk => Hsg k (proj2 Hk))
    Hfall (fun k Hk => Hs k (proj2 Hk) ltac:(lia)) HG HGt C (P * (1 + gamma)) HC HP' HM Hstart)
    as [Hpos Hbound].
  assert (Eg : fro (w (S l)) (w l) g = fro (w l) (w (S l)) (passed w l L W G (outer h c))).
  { rewrite <- fro_tr. apply fro_ext; intros i j Hi Hj. unfold tr, g.
    rewrite gradient_passed by assumption. reflexivity. }
  assert (Egt : fro (w (S l)) (w l) (msub gt g)
    = fro (w l) (w (S l)) (msub (passed w l L Wt Gt (outer ht ct)) (passed w l L W G (outer h c)))).
  { rewrite <- fro_tr. apply fro_ext; intros i j Hi Hj. unfold tr, msub, g, gt.
    rewrite !gradient_passed by assumption. reflexivity. }
  rewrite Egt, Eg. split; [exact Hpos|exact Hbound].
Qed.

End OneInput.

(** ** Linear networks, any number of inputs *)

Lemma sum_product m n f h : sum m f * sum n h = sum m (fun i => sum n (fun j => f i * h j)).
Proof.
  rewrite Rmult_comm, <- sum_scal. apply sum_ext; intros.
  rewrite Rmult_comm, <- sum_scal. reflexivity.
Qed.

Section Linear.

Variables (s : nat -> R) (w : nat -> nat) (l L N : nat).
Variables (W Wt : nat -> mat) (x c ct : nat -> vec).
Hypothesis Hl : (l < L)%nat.
Hypothesis Hne : forall k, (k < L)%nat -> s k <> 0.
Hypothesis Hrise : forall k, (k < l)%nat -> (w k <= w (S k))%nat.
Hypothesis Hfall : forall k, (l < k < L)%nat -> (w (S k) <= w k)%nat.
Hypothesis Hs : forall k, (k < L)%nat -> k <> l -> 0 < smin (w (S k)) (w k) (W k).

(** φ_k(u) = s_k u *)
Definition linear : nat -> R -> R := fun k u => s k * u.
Let G : nat -> vec := fun k _ => s k.

(** Mᵀ = Σ_i x_i c_iᵀ *)
Definition inputs_times (v : nat -> vec) : mat := fun m b => sum N (fun a => x a m * v a b).
Hypothesis HM : 0 < fro (w 0%nat) (w L) (inputs_times c).

Let kappa k := cond (w (S k)) (w k) (W k).
Let rho k := rho (w (S k)) (w k) (W k) (change W Wt k).
Let g := gradient linear w L W N (fun _ => G) x c l.
Let gt := gradient linear w L Wt N (fun _ => G) x ct l.

Lemma linear_net V y k : forall i, (k <= L)%nat -> (i < w k)%nat ->
  net linear w V y 0 k i = mv (w 0%nat) (jac w G V 0 k) y i.
Proof.
  induction k as [|k IH]; intros i Hk Hi; [symmetry; apply mv_idm, Hi|].
  change (net linear w V y 0 (S k) i) with (s k * mv (w k) (V k) (net linear w V y 0 k) i).
  transitivity (sum (w k) (fun j => sum (w 0%nat) (fun m => s k * V k i j * jac w G V 0 k j m * y m))).
  - unfold mv. rewrite <- sum_scal. apply sum_ext; intros j Hj. rewrite IH by (try lia; exact Hj).
    unfold mv. rewrite <- !sum_scal. apply sum_ext; intros; ring.
  - rewrite sum_swap. unfold mv. apply sum_ext; intros m _. simpl. unfold mm, dg, G.
    rewrite Rmult_comm, <- sum_scal. apply sum_ext; intros; ring.
Qed.

(** W_{k−1} ··· W_0 Mᵀ, with the slopes *)
Let below V v k := mm (w 0%nat) (jac w G V 0 k) (inputs_times v).

Lemma linear_gradient_passed V v i j : (i < w (S l))%nat -> (j < w l)%nat ->
  gradient linear w L V N (fun _ => G) x v l i j = passed w l L V G (below V v l) j i.
Proof.
  intros Hi Hj. set (J := jac w G V (S l) (L - S l)). set (A := jac w G V 0 l).
  set (T := fun a b m => G l i * (J b i * v a b * (A j m * x a m))).
  transitivity (sum N (fun a => sum (w L) (fun b => sum (w 0%nat) (fun m => T a b m)))).
  - unfold gradient. apply sum_ext; intros a _. unfold outer, sensitivity.
    rewrite linear_net by (try lia; exact Hj). fold A J. unfold mv, tr, T.
    rewrite Rmult_assoc, sum_product, <- sum_scal. apply sum_ext; intros b _.
    rewrite <- sum_scal. reflexivity.
  - rewrite (sum_swap N). unfold passed, gd, below, inputs_times, mm. fold A J.
    rewrite Rmult_comm, <- sum_scal. apply sum_ext; intros b _.
    rewrite (sum_swap N). rewrite (Rmult_comm (sum _ _) (J b i)), <- !sum_scal.
    apply sum_ext; intros m _. rewrite <- !sum_scal. apply sum_ext; intros. unfold T. ring.
Qed.

Theorem linear_gradient :
  let gamma := fro (w 0%nat) (w L) (msub (inputs_times ct) (inputs_times c))
               / fro (w 0%nat) (w L) (inputs_times c) in
  0 < fro (w (S l)) (w l) g /\
  fro (w (S l)) (w l) (msub gt g) / fro (w (S l)) (w l) g
  <= prod l kappa * prod (L - S l) (fun k => kappa (S l + k)%nat)
     * (prod l (fun k => 1 + rho k) * (1 + gamma)
        * prod (L - S l) (fun k => 1 + rho (S l + k)%nat) - 1).
Proof.
  intros gamma. assert (Hg : 0 <= gamma) by (apply quotient_nonneg; [apply fro_nonneg|exact HM]).
  set (al := fun k => Rabs (s k)). set (sg := fun k => if Rlt_dec 0 (s k) then 1 else -1).
  assert (Hal : forall k, (k < L)%nat -> 0 < al k) by (intros; apply Rabs_pos_lt, Hne; assumption).
  assert (Hsg : forall k, is_sign (sg k))
    by (intros; unfold sg, is_sign; destruct (Rlt_dec _ _); auto).
  assert (HG : forall k i, slope (al k) (al k) (sg k) (G k i)).
  { intros k i. unfold slope, al, sg, G. destruct (Rlt_dec _ _).
    - rewrite Rabs_right; lra.
    - rewrite Rabs_left1; lra. }
  assert (Hone : forall k, (k < L)%nat -> al k / al k = 1)
    by (intros k Hk; assert (H := Hal k Hk); field; lra).
  assert (Hnum : forall k, (k < L)%nat -> k <> l -> 1 <= kappa k /\ 0 <= rho k).
  { intros k Hk Hkl. destruct (layer_bound_spectral _ _ _ (change W Wt k) (Hs k Hk Hkl)) as [_ [H1 [H2 _]]].
    split; assumption. }
  set (C := prod l kappa). set (P := prod l (fun k => 1 + rho k)).
  assert (HC : 1 <= C) by (apply prod_ge1; intros k Hk; apply Hnum; lia).
  assert (HP : 1 <= P) by (apply prod_ge1; intros k Hk; destruct (Hnum k); [lia|lia|lra]).
  (* M^T multiplied on the left by the layers below l *)
  set (size := fun k => fro (w k) (w L) (below W c k)).
  set (err := fun k => fro (w k) (w L) (msub (below Wt ct k) (below W c k))).
  assert (Hbelow0 : forall V v i j, (i < w 0%nat)%nat -> below V v 0 i j = inputs_times v i j)
    by (intros; apply mm_idm_l; assumption).
  assert (Hstep : forall k, (k < l)%nat ->
    al k * smin (w (S k)) (w k) (W k) * size k <= size (S k) /\
    err (S k) <= kappa k * (al k * smin (w (S k)) (w k) (W k))
                 * ((1 + rho k) * err k + (1 + rho k - 1) * size k)).
  { intros k Hk. destruct (layer_bound_spectral _ _ _ (change W Wt k) (Hs k ltac:(lia) ltac:(lia)))
      as [Hsk [Hc [Hd [Ha He]]]].
    assert (F := rising_step (al k) (al k) (sg k) (Hal k ltac:(lia)) (Rle_refl _) (Hsg k)
      (w (S k)) (w k) (w L) (G k) (G k) (W k) (Wt k) (below W c k) (below Wt ct k) (Hrise k Hk)
      (fun i _ => HG k i) (fun i _ => HG k i)).
    assert (B : forall V v i j, below V v (S k) i j = mm (w k) (dg (G k) (V k)) (below V v k) i j).
    { intros. unfold below. rewrite <- mm_assoc. reflexivity. }
    assert (E1 : size (S k) = fro (w (S k)) (w L) (mm (w k) (dg (G k) (W k)) (below W c k)))
      by (apply fro_ext; intros; apply B).
    assert (E2 : err (S k) = fro (w (S k)) (w L)
       (msub (mm (w k) (dg (G k) (Wt k)) (below Wt ct k)) (mm (w k) (dg (G k) (W k)) (below W c k))))
      by (apply fro_ext; intros; unfold msub; rewrite !B; reflexivity).
    assert (R := layer_step_recursion (al k) (al k) (Hal k ltac:(lia)) (Rle_refl _)
      _ _ _ _ _ _ _ _ _ Hsk Hc Hd Ha He (fro_nonneg _ _ _) (fro_nonneg _ _ _) F).
    cbv zeta in R. rewrite Hone, Rmult_1_l in R by lia. rewrite E1, E2. exact R. }
  assert (Hpos : forall k, (k <= l)%nat -> 0 < size k).
  { induction k as [|k IH]; intros Hk.
    - unfold size. rewrite (fro_ext _ _ _ (inputs_times c)) by (intros; apply Hbelow0; assumption).
      exact HM.
    - destruct (Hstep k) as [H _]; [lia|]. eapply Rlt_le_trans; [|exact H].
      repeat apply Rmult_lt_0_compat; [apply Hal|apply Hs|apply IH]; lia. }
  assert (Hstart : err l <= C * (P * (1 + gamma) - 1) * size l).
  { assert (R := relative_recursion l err size (fun k => al k * smin (w (S k)) (w k) (W k)) kappa
                   (fun k => 1 + rho k) 1 (1 + gamma)).
    rewrite !Rmult_1_l, (Rmult_comm (1 + gamma)) in R. apply R; clear R; try lra.
    - intros k Hk. assert (H := Hal k ltac:(lia)). assert (H' := Hs k ltac:(lia) ltac:(lia)).
      destruct (Hnum k); [lia|lia|]. split; [apply Rmult_le_pos; lra|lra].
    - intros; apply fro_nonneg.
    - intros k Hk. apply Hstep, Hk.
    - intros k Hk. apply Hstep, Hk.
    - unfold err, size.
      rewrite (fro_ext _ _ (msub (below Wt ct 0) _) (msub (inputs_times ct) (inputs_times c)))
        by (intros; unfold msub; rewrite !Hbelow0 by assumption; reflexivity).
      rewrite (fro_ext _ _ (below W c 0) (inputs_times c)) by (intros; apply Hbelow0; assumption).
      right. unfold gamma. field. lra. }
  assert (HP' : 1 <= P * (1 + gamma))
    by (assert (1 * 1 <= P * (1 + gamma)) by (apply Rmult_le_compat; lra); lra).
  destruct (passed_bound al al sg w l L (w l) W Wt G G (below W c l) (below Wt ct l) Hl
    (fun k Hk => Hal k (proj2 Hk)) (fun k Hk => Rle_refl _) (fun k Hk => Hsg k)
    Hfall (fun k Hk => Hs k (proj2 Hk) ltac:(lia)) (fun k i _ _ => HG k i) (fun k i _ _ => HG k i)
    C (P * (1 + gamma)) HC HP' (Hpos l (Nat.le_refl l)) Hstart) as [Hpos' Hbound].
  assert (Eg : fro (w (S l)) (w l) g = fro (w l) (w (S l)) (passed w l L W G (below W c l))).
  { rewrite <- fro_tr. apply fro_ext; intros i j Hi Hj. unfold tr, g.
    rewrite linear_gradient_passed by assumption. reflexivity. }
  assert (Egt : fro (w (S l)) (w l) (msub gt g)
    = fro (w l) (w (S l)) (msub (passed w l L Wt G (below Wt ct l)) (passed w l L W G (below W c l)))).
  { rewrite <- fro_tr. apply fro_ext; intros i j Hi Hj. unfold tr, msub, g, gt.
    rewrite !linear_gradient_passed by assumption. reflexivity. }
  rewrite Egt, Eg. split; [exact Hpos'|].
  rewrite (Hone l Hl), Rmult_1_r in Hbound.
  rewrite (prod_ext (L - S l)
             (fun k => al (S l + k)%nat / al (S l + k)%nat
                       * (1 + Conditioning.rho (w (S (S l + k))) (w (S l + k)%nat)
                                (W (S l + k)%nat) (change W Wt (S l + k))))
             (fun k => 1 + rho (S l + k)%nat)) in Hbound; [exact Hbound|].
  intros k Hk. rewrite Hone, Rmult_1_l by lia. reflexivity.
Qed.

End Linear.
