"""`telescoping.function`, step by step: one layer replaced at a time, any widths, ReLU allowed.

‖f̃ − f‖ ≤ Σ_l Π_{k≥l} β_k · Π_{k>l} ‖W̃_k‖₂ · ‖ΔW_l h_{l−1}‖
"""

from proofs_checks.steps import ALIGNED, CARRIED, TRANSMITTED, network_chain

STEPS = (ALIGNED, TRANSMITTED, CARRIED)
FUNCTION = network_chain("telescoping.function", STEPS)
CHAINS = (FUNCTION,)

if __name__ == "__main__":
    from proofs_checks.runner import main

    main(CHAINS, __doc__)
