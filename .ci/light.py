"""The light install in a fresh environment: `python .ci/light.py FOLDER`, where `FOLDER/wheels` has the wheel.

Installs the library without what it requires, beside the five packages that are enough to run exported files, to print tables and to check data.
Runs its commands there, and compares what they write with the environment of this python, which has everything."""
import os, subprocess, sys, time, venv
from pathlib import Path

import numpy as np
from PIL import Image

repo = Path(__file__).resolve().parent.parent
packages = 'numpy', 'pillow', 'filelock', 'fastcore', 'onnxruntime'
absent = 'torch', 'torchvision', 'fastai', 'timm', 'matplotlib', 'pandas', 'onnx', 'fastprogress'
scenes = repo/'mobiledepth'/'data'/'street'/'scenes'

def outside(path=''):
    "The variables of this process with another PYTHONPATH: with the checkout on it pip would find the library installed."
    return os.environ | {'PYTHONPATH': path}

def install(work):
    "The folder of the programs of a fresh environment with the light install."
    venv.create(work/'light', with_pip=True, symlinks=True)
    programs = work/'light'/'bin'
    def pip(*args):
        res = subprocess.run([programs/'pip', 'install', '-q', *args], env=outside(), capture_output=True, text=True)
        assert res.returncode==0, res.stderr
    pip('--no-deps', *(work/'wheels').glob('mobiledepth-*.whl'))
    pip(*packages)
    return programs

def export(file):
    "Write a segmentation network of random weights as ONNX."
    from fastai.vision.all import set_seed
    from mobiledepth.data.street import street_dls
    from mobiledepth.deploy.export import export_model
    from mobiledepth.learner import mobile_unet_learner
    set_seed(0)
    dls = street_dls(size=(64,96), num_workers=0, cache=False)
    learn = mobile_unet_learner(dls, 'test_efficientnet', pretrained=False)
    export_model(learn, file)

class Commands:
    "The `mobiledepth` command of one environment, run in a folder outside the checkout."
    def __init__(self, python, folder, path=''):
        self.start = [python, '-m', 'mobiledepth']
        self.folder = folder
        self.env = outside(path)

    def __call__(self, *words):
        return subprocess.run([*self.start, *map(str, words)], cwd=self.folder, env=self.env, capture_output=True, text=True)

    def output(self, *words):
        "What a command prints; it has to end well."
        res = self(*words)
        assert res.returncode==0, f'{words}: {res.stderr}'
        return res.stdout

def label_maps(folder):
    "Name -> bytes of the decoded label map that `predict` wrote."
    return {o.name: np.asarray(Image.open(o)).tobytes() for o in sorted(folder.glob('*_classes.png'))}

def check_absent(python):
    "None of what the light install does without can be imported."
    code = f'from importlib.util import find_spec; print([o for o in {absent} if find_spec(o)])'
    found = subprocess.check_output([python, '-c', code], cwd=python.parent, env=outside(), text=True)
    assert found.strip()=='[]', f'the light install has {found}'

def check_same(light, full, file):
    "Both environments predict the same label maps and print the same."
    for commands,out in ((light, 'of_light'), (full, 'of_full')): commands.output('predict', file, scenes/'images', '--out', out)
    maps = label_maps(light.folder/'of_light')
    assert len(maps)==len(list(scenes.glob('images/*.png'))), list(maps)
    assert maps==label_maps(light.folder/'of_full'), 'the light install predicts other label maps'
    assert len(set(b''.join(maps.values())))>1, 'one class everywhere: no comparison'
    table = light.output('table', '--results', repo/'results')
    assert table==full.output('table', '--results', repo/'results') and '| camvid-' in table, table
    checked = light.output('data', 'check', 'street')
    assert '48 frames, no errors' in checked, checked
    described = light.output('data', 'describe', scenes)
    assert described==full.output('data', 'describe', scenes) and 'fingerprint' in described, described
    assert 'usage: mobiledepth VERB' in light.output('--help')

def check_refused(light, file):
    "What needs more ends with one line that has the packages and the command that installs them."
    for words in (['train', 'street'], ['eval', 'street'], ['eval', file], ['predict', 'street', scenes/'images'],
                  ['export', 'street'], ['bench', file], ['table', '--results', repo/'results', '--plot', 'curves.png']):
        res = light(*words)
        lines = res.stderr.splitlines()
        assert res.returncode==1 and len(lines)==1, f'{words}: {res.returncode}\n{res.stderr}'
        assert lines[0].startswith(f'mobiledepth {words[0]}: '), lines[0]
        assert '`pip install mobiledepth` adds torch, fastai, timm,' in lines[0], lines[0]
    rendering = light('data', 'make', '--out', 'streets', '--frames', '1,1,1')
    assert rendering.returncode==1 and "pip install 'mobiledepth[street]'" in rendering.stderr, rendering.stderr

def main(work):
    start = time.time()
    programs = install(work)
    seconds = time.time()-start
    folder = work/'light_run'
    folder.mkdir()
    file = folder/'tiny.onnx'
    export(file)
    light = Commands(programs/'python', folder)
    check_absent(programs/'python')
    check_same(light, Commands(sys.executable, folder, str(repo)), file)
    check_refused(light, file)
    size = sum(o.stat().st_size for o in (work/'light').rglob('*') if o.is_file() and not o.is_symlink())
    print(f'       {size/1e6:.0f} MB with pip, installed in {seconds:.0f} s')

if __name__=='__main__': main(Path(sys.argv[1]).resolve())
