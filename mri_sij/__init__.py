"""Bone-marrow oedema of the sacroiliac joints in STIR MRI: find it, measure it, score it (SPARCC), follow it.

Research use only, not for diagnosis.
"""

__version__ = "0.1.0"
