(** * Theorem 1 for Jacobians: the condition on the widths is needed

    The paper states Theorem 1 with no condition on the widths.  For positive widths,

    theorem1.jacobian  holds for all networks of widths w_l, ..., w_L   <=>  they are a valley.

    "=>" is the refutation of theorem1.jacobian.as-stated for every other pattern, by linear
    networks, so for the paper's one φ in all layers too; "<=" is the theorem of JacobianBounds.v.

    [theorem1_jacobian_claim φ α β w l n], n = L − l, is the paper's statement for widths w and φ_k
    transmitting [α_k, β_k]: all W, W̃ with κ(W_k), κ(W̃_k), κ(ΔW_k) <= κ (all three of full rank),
    any two states h_l and h̃_l such that the φ_k are differentiable at the points reached, J_l ≠ 0.

    A pattern that is no valley has a width w_q, larger than an earlier one, at which it falls
    ([valley_or_peak]).  There the witness of Witness.v has a diagonal Jacobian with r non-zero
    entries, r the smallest width:
        J = diag(ε, 1, ..., 1),   J̃ = diag((ε+δ)(1+δ)^{n−1}, (1+δ)^n, ..., (1+δ)^n).
    The first entry makes ‖J̃−J‖/‖J‖ exceed (1+δ)^n − 1 by a factor that stays away from 1 as
    δ → 0, while κ → 1 ([choice_of_constants]). *)

From Coq Require Import Reals Lra Lia.
From DRT Require Import Sums Norms Conditioning Transmission Network JacobianBounds Witness.
Open Scope R_scope.

Definition theorem1_jacobian_claim (phi : nat -> R -> R) (al be : nat -> R) w l n : Prop :=
  forall K W Wt h ht G Gt,
    derivatives_at phi w W no_bias h l n G -> derivatives_at phi w Wt no_bias ht l n Gt ->
    (forall k, (l <= k < l + n)%nat -> layer_conditioned K (w (S k)) (w k) (W k) (Wt k)) ->
    0 < fro (w (l + n)%nat) (w l) (jac w G W l n) ->
    fro (w (l + n)%nat) (w l) (msub (jac w Gt Wt l n) (jac w G W l n))
      / fro (w (l + n)%nat) (w l) (jac w G W l n)
    <= prod n (fun k => be (l + k)%nat / al (l + k)%nat) * K ^ (2 * n)
       * (prod n (fun k => be (l + k)%nat / al (l + k)%nat
                           * (1 + delta (w (S (l + k))) (w (l + k)%nat) (W (l + k)%nat)
                                        (change W Wt (l + k)))) - 1).

(** A pattern that is no valley has a width w_q, larger than an earlier one, where it falls. *)
Lemma valley_or_peak w l n :
  valley w l (l + n) \/
  exists p q, (l <= p < q)%nat /\ (q < l + n)%nat /\ (w p < w q)%nat /\ (w (S q) < w q)%nat.
Proof.
  induction n as [|n [[p [Hp [Hfall Hrise]]]|[p [q H]]]].
  - left. exists l. split; [lia|]. split; intros; lia.
  - rewrite Nat.add_succ_r. set (top := (l + n)%nat) in *.
    assert (Hmono : forall i, (p <= i <= top)%nat -> (w p <= w i <= w top)%nat).
    { assert (Hup : forall i, (p <= i <= top)%nat -> (w p <= w i)%nat).
      { induction i as [|i IH]; intros Hi; [replace p with 0%nat by lia; lia|].
        destruct (Nat.eq_dec p (S i)) as [->|]; [lia|].
        specialize (IH ltac:(lia)). specialize (Hrise i ltac:(lia)). lia. }
      intros i Hi. split; [apply Hup, Hi|].
      assert (Hdown : forall d, (p <= top - d)%nat -> (w (top - d) <= w top)%nat).
      { induction d as [|d IH]; intros Hd; [rewrite Nat.sub_0_r; lia|].
        destruct (Nat.le_gt_cases top d); [replace (top - S d)%nat with (top - d)%nat by lia;
          apply IH; lia|].
        specialize (IH ltac:(lia)). specialize (Hrise (top - S d)%nat ltac:(lia)).
        replace (S (top - S d)) with (top - d)%nat in Hrise by lia. lia. }
      replace i with (top - (top - i))%nat by lia. apply Hdown; lia. }
    destruct (Nat.le_gt_cases (w top) (w (S top))) as [Hup|Hdown].
    + left. exists p. split; [lia|]. split; [exact Hfall|]. intros k Hk.
      destruct (Nat.eq_dec k top) as [->|]; [exact Hup|apply Hrise; lia].
    + destruct (Nat.le_gt_cases (w top) (w p)) as [Hflat|Hpeak].
      * (* flat from p to top: the valley's floor moves to the end *)
        left. exists (S top). split; [lia|]. split; [|intros; lia]. intros k Hk.
        destruct (Nat.lt_ge_cases k p); [apply Hfall; lia|].
        assert (H1 := Hmono k ltac:(lia)).
        destruct (Nat.eq_dec k top) as [->|]; [lia|]. assert (H2 := Hmono (S k) ltac:(lia)). lia.
      * right. exists p, top. destruct (Nat.eq_dec p top) as [->|]; [lia|]. repeat split; lia.
  - right. exists p, q. lia.
Qed.

Lemma valley_no_peak w l L p q :
  (l <= p < q)%nat -> (q < L)%nat -> (w p < w q)%nat -> (w (S q) < w q)%nat -> ~ valley w l L.
Proof.
  intros Hp Hq Hrise Hfall [f [Hf [Hdown Hup]]].
  destruct (Nat.le_gt_cases f q); [specialize (Hup q ltac:(lia)); lia|].
  assert (H' : forall d, (p + d <= q)%nat -> (w (p + d) <= w p)%nat).
  { induction d as [|d IH]; intros Hd; [rewrite Nat.add_0_r; lia|].
    specialize (IH ltac:(lia)). specialize (Hdown (p + d)%nat ltac:(lia)).
    rewrite Nat.add_succ_r. lia. }
  specialize (H' (q - p)%nat ltac:(lia)). replace (p + (q - p))%nat with q in H' by lia. lia.
Qed.

(** The smallest of the widths l, ..., l + k. *)
Fixpoint wmin (w : nat -> nat) (l k : nat) : nat :=
  match k with O => w l | S k' => Nat.min (wmin w l k') (w (l + S k')%nat) end.

Lemma wmin_le w l k j : (j <= k)%nat -> (wmin w l k <= w (l + j))%nat.
Proof.
  induction k as [|k IH]; intros Hj; simpl.
  - replace j with 0%nat by lia. rewrite Nat.add_0_r. lia.
  - destruct (Nat.eq_dec j (S k)) as [->|]; [lia|]. specialize (IH ltac:(lia)). lia.
Qed.

Lemma wmin_pos w l k : (forall j, (j <= k)%nat -> (0 < w (l + j))%nat) -> (0 < wmin w l k)%nat.
Proof.
  induction k as [|k IH]; intros H; simpl; [rewrite <- (Nat.add_0_r l); apply H; lia|].
  assert (H1 := H (S k) ltac:(lia)). assert (H2 := IH ltac:(intros; apply H; lia)). lia.
Qed.

(** Layers that act diagonally on the coordinates that are still alive have a diagonal product. *)
Lemma jac_diagonal w V l n (a : nat -> nat -> R) :
  (forall k i j, (k < n)%nat -> (i < w (S (l + k)))%nat -> (j < wmin w l k)%nat ->
     V (l + k)%nat i j = if Nat.eqb i j then a (l + k)%nat i else 0) ->
  forall i j, (i < w (l + n))%nat -> (j < w l)%nat ->
    jac w (fun _ _ => 1) V l n i j
    = if andb (Nat.eqb i j) (Nat.ltb j (wmin w l n)) then prod n (fun k => a (l + k)%nat j) else 0.
Proof.
  induction n as [|n IH]; intros HV i j Hi Hj; simpl jac.
  - unfold idm. simpl. destruct (Nat.ltb_spec j (w l)); [|lia].
    rewrite Bool.andb_true_r. reflexivity.
  - rewrite Nat.add_succ_r in Hi.
    transitivity (if Nat.ltb j (wmin w l n)
                  then V (l + n)%nat i j * prod n (fun k => a (l + k)%nat j) else 0).
    + unfold mm. rewrite (sum_ext _ _ (fun t => V (l + n)%nat i t
        * (if andb (Nat.eqb t j) (Nat.ltb j (wmin w l n))
           then prod n (fun k => a (l + k)%nat j) else 0))).
      2:{ intros t Ht. rewrite IH; auto. unfold dg. ring. }
      destruct (Nat.ltb_spec j (wmin w l n)) as [Hlt|Hge].
      * assert (Hle := wmin_le w l n n (le_n n)). rewrite (sum_single _ j) by
          (lia || (intros t _ Ht; destruct (Nat.eqb_spec t j); [lia|simpl; ring])).
        rewrite Nat.eqb_refl. reflexivity.
      * rewrite (sum_ext _ _ (fun _ => 0)), sum_const; [ring|].
        intros; rewrite Bool.andb_false_r; ring.
    + simpl. destruct (Nat.ltb_spec j (wmin w l n)) as [Hlt|Hge].
      * rewrite HV by (lia || assumption). rewrite Nat.add_succ_r.
        destruct (Nat.eqb_spec i j) as [->|]; simpl; [|ring].
        destruct (Nat.ltb_spec j (Nat.min (wmin w l n) (w (S (l + n))))); [ring|lia].
      * rewrite Nat.add_succ_r.
        destruct (Nat.ltb_spec j (Nat.min (wmin w l n) (w (S (l + n))))); [lia|].
        rewrite Bool.andb_false_r. reflexivity.
Qed.

Lemma fro_diagonal_sqr m n r M (a : nat -> R) :
  (r <= m)%nat -> (r <= n)%nat ->
  (forall i j, (i < m)%nat -> (j < n)%nat ->
     M i j = if andb (Nat.eqb i j) (Nat.ltb j r) then a j else 0) ->
  fro m n M * fro m n M = sum r (fun j => a j * a j).
Proof.
  intros Hm Hn HM. rewrite fro_sqr. unfold dotF.
  rewrite <- (sum_padded r n) by exact Hn. apply sum_ext; intros j Hj.
  unfold dot, col. rewrite (sum_ext m _ (fun i =>
    if andb (Nat.eqb i j) (Nat.ltb j r) then a j * a j else 0)).
  2:{ intros i Hi. rewrite HM by assumption. destruct (andb _ _); ring. }
  destruct (Nat.ltb_spec j r).
  - rewrite (sum_single m j) by
      (lia || (intros i _ Hi; destruct (Nat.eqb_spec i j); [lia|reflexivity])).
    rewrite Nat.eqb_refl. reflexivity.
  - rewrite (sum_ext m _ (fun _ => 0)), sum_const; [ring|].
    intros; rewrite Bool.andb_false_r; reflexivity.
Qed.

(** ** Two estimates of powers *)

Lemma bernoulli n x : 0 <= x <= 1 -> 1 - INR n * x <= (1 - x) ^ n.
Proof.
  intros Hx. induction n as [|n IH]; [simpl; lra|]. rewrite S_INR. simpl pow.
  assert (Hn := pos_INR n).
  assert (H : (1 - x) * (1 - INR n * x) <= (1 - x) * (1 - x) ^ n)
    by (apply Rmult_le_compat_l; lra).
  assert (0 <= INR n * (x * x)) by (apply Rmult_le_pos; nra). lra.
Qed.

(** (1+d)^n − 1 <= n d (1+d)^{n−1} *)
Lemma pow_increment_le n d : 0 <= d -> (1 + d) ^ S n - 1 <= INR (S n) * (d * (1 + d) ^ n).
Proof.
  intros Hd. induction n as [|n IH]; [simpl; lra|].
  rewrite S_INR. change ((1 + d) ^ S (S n)) with ((1 + d) * (1 + d) ^ S n).
  assert (Hpow : d * (1 + d) ^ n <= d * (1 + d) ^ S n).
  { apply Rmult_le_compat_l; [exact Hd|]. apply Rle_pow; [lra|lia]. }
  assert (INR (S n) * (d * (1 + d) ^ n) <= INR (S n) * (d * (1 + d) ^ S n))
    by (apply Rmult_le_compat_l; [apply pos_INR|exact Hpow]).
  lra.
Qed.

(** The choice of δ, ε and κ for n layers and smallest width r. *)
Lemma choice_of_constants n r :
  (0 < n)%nat -> (0 < r)%nat ->
  exists dl eps K,
    0 < dl < 1 /\ 0 < eps <= 1 /\ 1 <= K /\ 1 + dl <= K * (1 - dl) /\
    (K ^ 2) ^ n * (K ^ 2) ^ n * (INR r - 1 + eps * eps) < INR r - 1 + / (INR n * INR n).
Proof.
  intros Hn Hr.
  assert (HN : 1 <= INR n) by (apply (le_INR 1); lia).
  assert (HR : 1 <= INR r) by (apply (le_INR 1); lia).
  set (N := INR n) in *. set (m := INR r) in *.
  assert (HNN : 1 <= N * N) by nra.
  (* u = 1/(2 N² m), δ = u/(16 N), ε = 1/(2N), κ = 1/(1−δ)² *)
  set (u := / (2 * (N * N) * m)).
  assert (HNR : 1 <= N * N * m) by nra.
  assert (Eu : u * (2 * (N * N) * m) = 1) by (apply Rinv_l; nra).
  assert (Hu : 0 < u) by (apply Rinv_0_lt_compat; nra).
  assert (Hu2 : 2 * u <= 1) by nra.
  set (dl := u / (16 * N)). set (eps := / (2 * N)).
  assert (Edl : dl * (16 * N) = u) by (unfold dl; field; lra).
  assert (Hdl : 0 < dl) by (apply Rdiv_lt_0_compat; lra).
  assert (Hdl1 : dl <= / 32) by nra.
  assert (Eeps : eps * (2 * N) = 1) by (apply Rinv_l; lra).
  assert (Heps : 0 < eps) by (apply Rinv_0_lt_compat; lra).
  assert (Heps1 : eps <= 1) by nra.
  set (v := 1 - dl). assert (Hv : 0 < v) by (unfold v; lra).
  exists dl, eps, (/ (v * v)).
  assert (Hvv : 0 < v * v) by nra. assert (Hvv1 : v * v <= 1) by (unfold v; nra).
  assert (HK : 1 <= / (v * v)).
  { apply Rmult_le_reg_r with (v * v); [exact Hvv|]. rewrite Rinv_l by lra. lra. }
  split; [lra|]. split; [lra|]. split; [exact HK|]. split.
  { apply Rmult_le_reg_r with v; [exact Hv|]. fold v.
    replace (/ (v * v) * v * v) with 1 by (field; lra). unfold v. nra. }
  set (Q := ((/ (v * v)) ^ 2) ^ n * ((/ (v * v)) ^ 2) ^ n).
  assert (HQpos : 0 < Q).
  { assert (0 < ((/ (v * v)) ^ 2) ^ n) by (repeat apply pow_lt; lra).
    apply Rmult_lt_0_compat; assumption. }
  assert (EQ : Q * v ^ (8 * n) = 1).
  { unfold Q. rewrite pow_mult, <- Rpow_mult_distr, <- Rpow_mult_distr.
    replace ((/ (v * v)) ^ 2 * (/ (v * v)) ^ 2 * v ^ 8) with 1 by (field; lra). apply pow1. }
  (* Q <= 1 + u, as v^{8n} >= 1 − 8nδ = 1 − u/2 *)
  assert (HQ : Q <= 1 + u).
  { assert (Hb := bernoulli (8 * n) dl ltac:(lra)). fold v in Hb.
    rewrite mult_INR in Hb. fold N in Hb. replace (INR 8) with 8 in Hb by (simpl; ring).
    assert (Hb' : 1 <= (1 + u) * v ^ (8 * n)).
    { apply Rle_trans with ((1 + u) * (1 - 8 * N * dl)); [|apply Rmult_le_compat_l; lra]. nra. }
    assert (Q * 1 <= Q * ((1 + u) * v ^ (8 * n))) by (apply Rmult_le_compat_l; lra).
    replace (Q * ((1 + u) * v ^ (8 * n))) with ((1 + u) * (Q * v ^ (8 * n))) in * by ring.
    rewrite EQ in *. lra. }
  (* (1+u)(m − 1 + ε²) = m − 1 + ε² + u(m−1) + u ε²,  ε² = 1/(4N²),  um = 1/(2N²) *)
  apply Rle_lt_trans with ((1 + u) * (m - 1 + eps * eps)).
  { apply Rmult_le_compat_r; [nra|exact HQ]. }
  assert (Ee : eps * eps = / (N * N) / 4) by (unfold eps; field; lra).
  assert (EuR : u * m = / (N * N) / 2) by (unfold u; field; lra).
  assert (Hi : 0 < / (N * N)) by (apply Rinv_0_lt_compat; lra).
  rewrite Ee. nra.
Qed.

(** ** A peak breaks the bound *)

Theorem theorem1_jacobian_as_stated w l n :
  (forall k, (l <= k <= l + n)%nat -> (0 < w k)%nat) ->
  ~ valley w l (l + n) ->
  ~ theorem1_jacobian_claim (fun _ u => u) (fun _ => 1) (fun _ => 1) w l n.
Proof.
  intros Hw Hnv Hclaim.
  destruct (valley_or_peak w l n) as [Hv|[p [q [Hp [Hq [Hrise Hfall]]]]]]; [exact (Hnv Hv)|].
  set (r := wmin w l n).
  assert (Hr : (0 < r)%nat) by (apply wmin_pos; intros; apply Hw; lia).
  destruct (choice_of_constants n r) as [dl [eps [K [Hdl [Heps [HK [HKdl Hconst]]]]]]];
    [lia|exact Hr|].
  set (W := witness w q eps). set (Wt := shifted dl W).
  set (one := fun (_ _ : nat) => 1).
  assert (Hcond : forall k, (l <= k < l + n)%nat ->
            layer_conditioned K (w (S k)) (w k) (W k) (Wt k) /\
            0 <= delta (w (S k)) (w k) (W k) (change W Wt k) <= dl).
  { intros k Hk. apply shifted_conditioned; try assumption; try (apply Hw; lia).
    apply witness_isometric; try assumption; try (apply Hw; lia). lra. }
  (* the column "last" of layer q is dead: every coordinate alive is < w p < w q *)
  assert (Hjac : forall d i j, (i < w (l + n))%nat -> (j < w l)%nat ->
            jac w one (shifted d W) l n i j
            = if andb (Nat.eqb i j) (Nat.ltb j r)
              then prod n (fun k => factor q eps d j (l + k)) else 0).
  { intros d i j Hi Hj. apply (jac_diagonal w (shifted d W) l n (fun k i => factor q eps d i k));
      try assumption.
    clear i j Hi Hj. intros k i j Hk Hi Hj. apply witness_diagonal; try assumption.
    intros Ek. assert (Hle := wmin_le w l k (p - l)%nat ltac:(lia)).
    replace (l + (p - l))%nat with p in Hle by lia. lia. }
  (* the diagonal entries *)
  set (X := (1 + dl) ^ n - 1). set (Y := (eps + dl) * (1 + dl) ^ (n - 1) - eps).
  assert (Hentry : forall d j, prod n (fun k => factor q eps d j (l + k))
            = if Nat.eqb j 0 then (eps + d) * (1 + d) ^ (n - 1) else (1 + d) ^ n).
  { intros d j. destruct (Nat.eqb_spec j 0) as [->|Hj].
    - rewrite (prod_one_off n (q - l) (1 + d)); [|lia|].
      + unfold factor. replace (l + (q - l))%nat with q by lia. rewrite Nat.eqb_refl. reflexivity.
      + intros i _ Hi. unfold factor. destruct (Nat.eqb_spec (l + i) q); [lia|reflexivity].
    - rewrite <- prod_const. apply prod_ext; intros. unfold factor.
      destruct (Nat.eqb_spec j 0); [lia|]. rewrite Bool.andb_false_r. reflexivity. }
  assert (Hr1 : (r <= w (l + n))%nat) by (apply wmin_le; lia).
  assert (Hr2 : (r <= w l)%nat).
  { assert (H := wmin_le w l n 0 ltac:(lia)). rewrite Nat.add_0_r in H. exact H. }
  (* ‖J‖² = r − 1 + ε², ‖J̃ − J‖² = (r−1) X² + Y² *)
  assert (Hsum : forall a b, sum r (fun j => (if Nat.eqb j 0 then a else b)
                                             * (if Nat.eqb j 0 then a else b))
                             = INR r * (b * b) - b * b + a * a).
  { intros a b. assert (E : sum r (fun j => (if Nat.eqb j 0 then a else b)
                              * (if Nat.eqb j 0 then a else b) - b * b) = a * a - b * b).
    { rewrite (sum_single r 0); [reflexivity|exact Hr|].
      intros i _ Hi. destruct (Nat.eqb_spec i 0); [lia|ring]. }
    rewrite sum_minus, sum_const in E. lra. }
  set (J := jac w one W l n) in *. set (Jt := jac w one Wt l n).
  assert (HJ : fro (w (l + n)%nat) (w l) J * fro (w (l + n)%nat) (w l) J = INR r - 1 + eps * eps).
  { rewrite (fro_diagonal_sqr _ _ r _ (fun j => if Nat.eqb j 0 then eps else 1)), Hsum; auto;
      [ring|]. intros i j Hi Hj. unfold J. rewrite <- (shifted_0 W), Hjac, Hentry by assumption.
    rewrite !Rplus_0_r, !pow1, Rmult_1_r. reflexivity. }
  assert (HD : fro (w (l + n)%nat) (w l) (msub Jt J) * fro (w (l + n)%nat) (w l) (msub Jt J)
               = INR r * (X * X) - X * X + Y * Y).
  { rewrite (fro_diagonal_sqr _ _ r _ (fun j => if Nat.eqb j 0 then Y else X)), Hsum; auto.
    intros i j Hi Hj. unfold msub, Jt, J, Wt. rewrite <- (shifted_0 W) at 2.
    rewrite !Hjac, !Hentry by assumption. rewrite !Rplus_0_r, !pow1, Rmult_1_r.
    unfold X, Y. destruct (andb _ _); [|ring]. destruct (Nat.eqb j 0); reflexivity. }
  assert (HR : 1 <= INR r) by (apply (le_INR 1); lia).
  assert (HN : 1 <= INR n) by (apply (le_INR 1); lia).
  assert (HJpos : 0 < fro (w (l + n)%nat) (w l) J).
  { assert (H0 := fro_nonneg (w (l + n)%nat) (w l) J). nra. }
  (* what the claim says *)
  assert (Hid : forall V h, derivatives_at (fun _ u => u) w V no_bias h l n one)
    by (intros V h j i _ _; apply derivable_pt_lim_id).
  assert (H := Hclaim K W Wt (fun _ => 0) (fun _ => 0) one one (Hid _ _) (Hid _ _)
                 (fun k Hk => proj1 (Hcond k Hk)) HJpos).
  fold J Jt in H. apply quotient_ge in H; [|exact HJpos].
  cbv beta in H. rewrite (prod_const n (1 / 1)), pow_mult in H.
  replace ((1 / 1) ^ n) with 1 in H by (replace (1 / 1) with 1 by field; rewrite pow1; reflexivity).
  rewrite Rmult_1_l in H.
  set (Q := (K ^ 2) ^ n) in *. assert (HQ : 0 <= Q) by (apply pow_le; nra).
  set (X' := prod n _ - 1) in H.
  assert (HX' : 0 <= X' <= X).
  { unfold X', X. split.
    - assert (1 <= prod n (fun k => 1 / 1 * (1 + delta (w (S (l + k))) (w (l + k)%nat)
          (W (l + k)%nat) (change W Wt (l + k))))); [|lra].
      apply prod_ge1. intros k Hk. destruct (Hcond (l + k)%nat ltac:(lia)). lra.
    - apply Rplus_le_compat_r. rewrite <- prod_const. apply prod_le. intros k Hk.
      destruct (Hcond (l + k)%nat ltac:(lia)). lra. }
  (* and what is true *)
  assert (HY : X <= INR n * Y).
  { unfold X, Y. replace n with (S (n - 1)) at 1 2 by lia.
    eapply Rle_trans; [apply pow_increment_le; lra|].
    apply Rmult_le_compat_l; [apply pos_INR|].
    assert (H1 := pow_R1_Rle (1 + dl) (n - 1) ltac:(lra)).
    assert (eps * 1 <= eps * (1 + dl) ^ (n - 1)) by (apply Rmult_le_compat_l; lra). lra. }
  assert (HX : 0 < X).
  { unfold X. assert (H1 := Rlt_pow_R1 (1 + dl) n ltac:(lra) ltac:(lia)). lra. }
  (* square the claim: (r−1) X² + Y² <= Q² X² (r − 1 + ε²) < X² (r − 1 + 1/n²) *)
  assert (Hsq : INR r * (X * X) - X * X + Y * Y <= Q * Q * (INR r - 1 + eps * eps) * (X * X)).
  { rewrite <- HD, <- HJ. set (j := fro (w (l + n)%nat) (w l) J) in *.
    set (d := fro (w (l + n)%nat) (w l) (msub Jt J)) in *.
    assert (Hd : d <= Q * X * j).
    { eapply Rle_trans; [exact H|]. apply Rmult_le_compat_r; [lra|].
      apply Rmult_le_compat_l; lra. }
    assert (0 <= d) by apply fro_nonneg.
    replace (Q * Q * (j * j) * (X * X)) with (Q * X * j * (Q * X * j)) by ring.
    apply Rmult_le_compat; assumption. }
  assert (Hlt : Q * Q * (INR r - 1 + eps * eps) * (X * X)
                < (INR r - 1 + / (INR n * INR n)) * (X * X)).
  { apply Rmult_lt_compat_r; [nra|exact Hconst]. }
  assert (HYY : / (INR n * INR n) * (X * X) <= Y * Y).
  { replace (Y * Y) with (/ (INR n * INR n) * (INR n * Y * (INR n * Y))) by (field; lra).
    apply Rmult_le_compat_l; [apply Rlt_le, Rinv_0_lt_compat; nra|].
    apply Rmult_le_compat; lra. }
  lra.
Qed.

Theorem theorem1_jacobian_iff w l n :
  (forall k, (l <= k <= l + n)%nat -> (0 < w k)%nat) ->
  ((forall phi al be,
      (forall k, (l <= k < l + n)%nat -> 0 < al k /\ transmits (al k) (be k) (phi k)) ->
      theorem1_jacobian_claim phi al be w l n)
   <-> valley w l (l + n)).
Proof.
  intros Hw. split.
  - intros Hclaim. destruct (valley_or_peak w l n) as [Hv|[p [q [Hp [Hq [Hr Hf]]]]]];
      [exact Hv|exfalso].
    apply (theorem1_jacobian_as_stated w l n Hw);
      [exact (valley_no_peak w l (l + n) p q Hp Hq Hr Hf)|].
    apply Hclaim. intros; split; [lra|exact identity_transmits].
  - intros Hv phi al be Hphi K W Wt h ht G Gt HG HGt Hcond HJ.
    assert (Hslope : forall V h0 G0, derivatives_at phi w V no_bias h0 l n G0 ->
              forall k i, (l <= k < l + n)%nat -> (i < w (S k))%nat ->
              slope (al k) (be k) (phi_sign (phi k)) (G0 k i)).
    { intros V h0 G0 HG0 k i Hk Hi. specialize (HG0 (k - l)%nat i ltac:(lia)).
      replace (l + (k - l))%nat with k in HG0 by lia.
      destruct (Hphi k Hk) as [Hal Ht].
      exact (derivatives_have_one_sign _ _ _ Hal Ht _ _ (HG0 Hi)). }
    apply theorem1_jacobian with (sg := fun k => phi_sign (phi k)); auto.
    + intros k Hk. apply (Hphi k Hk).
    + intros k Hk. exact (transmits_le _ _ _ (proj2 (Hphi k Hk))).
    + intros k _. apply phi_sign_is_sign.
    + intros k Hk. apply (Hcond k Hk).
    + exact (Hslope W h G HG).
    + exact (Hslope Wt ht Gt HGt).
    + intros k Hk. apply (Hcond k Hk).
    + intros k Hk. apply (Hcond k Hk).
Qed.
