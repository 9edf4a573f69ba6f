"""`python -m acetate`: the command line, where its program is not on the path. The only file of the namespace itself."""

import sys

from acetate.server.__main__ import main

sys.exit(main())
