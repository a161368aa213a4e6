"`python -m mobiledepth` is the `mobiledepth` command. Written by hand."
import sys

from .cli import main

if __name__=='__main__': sys.exit(main())
