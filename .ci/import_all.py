"Import every module of mobiledepth, which must lie in the folder given: `python .ci/import_all.py FOLDER`."
import importlib, pkgutil, sys
from pathlib import Path

def import_all():
    "The package and all its modules, imported."
    package = importlib.import_module('mobiledepth')
    return [package, *(importlib.import_module(o.name) for o in pkgutil.walk_packages(package.__path__, 'mobiledepth.'))]

if __name__=='__main__':
    folder = Path(sys.argv[1]).resolve()
    for o in import_all():
        if folder not in Path(o.__file__).resolve().parents: sys.exit(f'{o.__name__} was imported from {o.__file__}, not from {folder}')
