"""The modules that import no torch, and the check of it: `python .ci/no_torch.py`.

At their top stand only the standard library, numpy, Pillow, fastcore and filelock; what needs more is imported inside the function that needs it."""
import subprocess, sys

modules = ['core', 'tasks', 'segmentation.classes', 'segmentation.writer', 'segmentation.task',
           'depth.files', 'depth.writer', 'depth.task', 'data.codes', 'data.cache', 'data.images', 'data.dataset',
           'data.camvid', 'data.folder', 'data.nyu', 'data.street_files', 'data.street', 'runs.config',
           'runs.records', 'runs.predict', 'deploy.predictor', 'deploy.runtimes', 'street.dataset', 'cli']
heavy = ['torch', 'torchvision', 'fastai', 'timm', 'matplotlib', 'pandas']

def imported(code):
    "Which of the `heavy` packages are imported after `code` has run in a fresh process."
    code = f'{code}\nimport sys\nprint(*[o for o in {heavy} if o in sys.modules], file=sys.stderr)'
    res = subprocess.run([sys.executable, '-c', code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if res.returncode: raise ImportError(res.stderr)
    return res.stderr.splitlines()[-1].split()

def main():
    "Import all of the modules, then, where that imports something heavy, each alone; 1 where one does."
    if not imported('import ' + ', '.join(f'mobiledepth.{o}' for o in modules)): return 0
    for o in modules:
        if names := imported(f'import mobiledepth.{o}'):
            print(f'mobiledepth.{o} imports {", ".join(names)}: import it inside the function that needs it')
    return 1

if __name__=='__main__': sys.exit(main())
