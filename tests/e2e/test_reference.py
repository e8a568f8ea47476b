# SPDX-License-Identifier: Apache-2.0
"""What docs/components.md tells is what this binary takes."""
import pathlib
import subprocess

from sonde import binary

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "components.md"


def test_the_reference_of_components_is_fresh():
    made = subprocess.run([binary(), "components", "--reference"], check=True, capture_output=True, text=True).stdout
    assert PAGE.read_text() == made, "run: build/dev/sonde components --reference > docs/components.md"
