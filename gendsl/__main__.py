"""`python -m gendsl`: the command line."""

import sys

from gendsl.cli import main

sys.exit(main())
