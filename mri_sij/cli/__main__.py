"""`python -m mri_sij.cli`."""

from mri_sij.cli.app import main

main()
