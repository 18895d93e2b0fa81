"""`norm-product.function`, step by step: from the telescoped sum to norms alone.

Σ_l Π_{k<l} β‖W_k‖₂ · β‖ΔW_l‖₂ · Π_{k>l} β(‖W_k‖₂ + ‖ΔW_k‖₂)  =  β^L Π‖W_k‖₂ · [Π(1 + ρ_k) − 1]
"""

from proofs_checks.steps import SIGNAL_SLOPES_UP, SIGNAL_UP, SOURCES, SPLIT, network_chain
from proofs_checks.telescoping import STEPS as TELESCOPED

STEPS = (*TELESCOPED, SOURCES, SPLIT, SIGNAL_SLOPES_UP, SIGNAL_UP)
FUNCTION = network_chain("norm-product.function", STEPS)
CHAINS = (FUNCTION,)

if __name__ == "__main__":
    from proofs_checks.runner import main

    main(CHAINS, __doc__)
