"""A trained network in every runtime: does each file compute what PyTorch does, and how good is it on the test frames?

`python scripts/deploy.py student --name camvid-distilled --path CAMVID --files FOLDER` exports a pretrained model by
every installed export backend in every precision, for images of 360x480 (NYU: 228x304, what is inside its border), with
64 train frames for calibration, reports each file on the test frames through its own runtime, and leaves one record of
kind 'deploy' for each file. The files stay in FOLDER, for `mobiledepth bench`. `--name nyu-student --path NYU` does the
same in metres.
`python scripts/deploy.py sweep --name camvid-distilled --path CAMVID` quantizes each part of the network to int8 alone,
and compares on frames of val.
`python scripts/deploy.py parity` exports three families of encoders on random weights at two sizes by every installed
backend, and records how far the logits are from PyTorch's."""
import json, sys, tempfile, time
from importlib.util import find_spec
from pathlib import Path

import torch
from fastai.vision.all import set_seed
from fastcore.script import call_parse
from torch import nn

from mobiledepth.checkpoints import load_pretrained
from mobiledepth.data.camvid import camvid_names
from mobiledepth.data.nyu import nyu_test_dl
from mobiledepth.deploy.evaluate import evaluate_file
from mobiledepth.deploy.export import agreement, camera_images, export_model
from mobiledepth.deploy.graph import CameraGraph, graph_meta
from mobiledepth.deploy.predictor import Predictor
from mobiledepth.deploy.runtimes import backends, get_backend
from mobiledepth.measure.sensitivity import sensitivity, sensitivity_table
from mobiledepth.models import Unet
from mobiledepth.runs.evaluate import run_record
from mobiledepth.runs.records import git_commit, versions, write_record
from mobiledepth.segmentation.classes import Classes
from mobiledepth.tasks import task_of

repo = Path(__file__).resolve().parent.parent
packages = dict(onnx='onnxruntime', litert='litert_torch', executorch='executorch', openvino='openvino') # that export
families = 'mobilenetv3_small_100', 'resnet18', 'convnext_atto'
sizes = (96,128),(97,131)
camera = dict(camvid=(360,480), nyu=(228,304)) # Size of the test frames
parts = dict(camvid=('per_class', 'per_sequence'), nyu=('by_distance',)) # Of a report, beside the task's figures

def installed(to):
    "Names of the backends whose packages are there: `to` alone, where it is not empty."
    return [o for o in backends if find_spec(packages[o]) and to in ('', o)]

def frames(data, path, split):
    "The images of a split: files, or for NYU a loader that cuts the border off."
    if data=='nyu': return nyu_test_dl(path, size=None, bs=1, split=split, num_workers=0, device='cpu')
    return [Path(path)/'images'/f'{o}.jpg' for o in camvid_names(split)]

def facts(): return dict(commits=[git_commit(repo)], versions=versions())

def data_of(student, name, known):
    "The data set a model was trained on; ends with a sentence if it is not a known one."
    data = student.meta['data']
    if data not in known: sys.exit(f'{name} was trained on {data}: expected one of {", ".join(known)}')
    return data

def one_file(name, to, precision, path, files, keep_float, results):
    "Export, evaluate, record."
    backend,student,started = get_backend(to),load_pretrained(name),time.time()
    data = data_of(student, name, camera)
    file = export_model(student, Path(files)/f'{name}-{precision}{backend.suffix}', to, precision,
                        frames(data, path, 'train'), input_size=None if backend.dynamic else camera[data],
                        keep_float=keep_float if precision=='int8' else (), overwrite=True)
    seconds = round(time.time()-started)
    about = json.loads(Path(f'{file}.json').read_text())
    report,there = evaluate_file(file, path),run_record(student, repo/'results')['metrics']
    figures = [o.key for o in task_of(student).figures]
    kept = 'input_size', 'shrink', 'keep_float', 'check', 'bytes', 'weights_sha256', 'file_sha256'
    record = dict(experiment=f'deploy-{name}', kind='deploy', runtime=backend.runtime, precision=precision,
                  split=report['split'], n_test=report['n'], metrics={k: report[k] for k in (*figures, *parts[data])},
                  of_run={k: there[k] for k in figures}, **{k: about[k] for k in kept},
                  data_fingerprint=report['data_fingerprint'], export_seconds=seconds, **facts())
    write_record(Path(results)/f'deploy-{name}-{backend.runtime}-{precision}.json', record)
    first = figures[0]
    print(f"{file.name}: {first} {report[first]:.4f} (run {there[first]:.4f}), {about['bytes']/1e6:.1f} MB, "
          f"{about['check']}", flush=True)

def shaken(name):
    "A network on random weights whose norms are not the identity."
    set_seed(0)
    classes = Classes([f'class {i}' for i in range(11)]).to_json()
    net = Unet(name, num_classes=11, pretrained=False).eval()
    net.meta = dict(task='segmentation', size=[64,96], classes=classes)
    for m in net.modules():
        if not isinstance(m, nn.BatchNorm2d): continue
        nn.init.uniform_(m.weight, .5, 1.5)
        nn.init.uniform_(m.running_mean, -.1, .1)
    return net

def parity_row(to, name, size):
    "How far the file of one random network is from PyTorch."
    net,backend = shaken(name),get_backend(to)
    graph = CameraGraph(net, (64,96), output='logits', shrink='antialias' if backend.dynamic else 'pool')
    pictures = camera_images(None, 4, size)
    example = torch.tensor(pictures[0])[None]
    with tempfile.TemporaryDirectory() as tmp:
        file = Path(tmp)/f'a{backend.suffix}'
        meta = dict(graph_meta(graph, size), precision='float32', runtime=backend.runtime)
        backend.writer('float32')(graph, example, file, meta)
        found = agreement(Predictor(file), graph, pictures)
    with torch.no_grad(): largest = graph(example).abs().max().item()
    return dict(runtime=backend.runtime, backbone=name, picture=list(size), largest=round(largest, 3),
                max_abs=found['max_abs'], equal=found['equal'])

def parity(to, results):
    "How far the files of random networks are from PyTorch."
    rows = []
    for o in installed(to):
        for name in families:
            for size in sizes if o=='onnx' else sizes[1:]:
                rows.append(parity_row(o, name, size))
                print(rows[-1], flush=True)
    record = dict(experiment='parity', kind='deploy', size=[64,96], rows=rows, **facts())
    write_record(Path(results)/'parity.json', record)

def sweep(name, path, results):
    "Per-part int8 sensitivity."
    student = load_pretrained(name)
    data_of(student, name, ['camvid']) # Shares of agreeing pixels are compared
    rows = sensitivity(student, frames('camvid', path, 'train'), frames('camvid', path, 'val'))
    record = dict(experiment=f'sweep-{name}', kind='deploy', rows=rows, **facts())
    write_record(Path(results)/f'sweep-{name}.json', record)
    print(sensitivity_table(rows))

@call_parse
def main(
    what:str,           # student, sweep or parity
    name:str='camvid-distilled', # As for `load_pretrained`
    path:str=None,      # Folder of the data set
    to:str='',          # One backend; empty: all that are installed
    precision:str='',   # One precision; empty: all that the backend has
    keep_float:str='',  # Names of modules that int8 leaves in floats, with commas between
    files:str='files',  # Folder for the exported files
    results:str='runs', # Folder for the records
):
    "Export, prove, measure."
    if what not in ('student', 'sweep', 'parity'): sys.exit(f'{what}: expected student, sweep or parity')
    if what!='parity' and not path: sys.exit('give --path, the folder of the data set')
    torch.set_num_threads(1)
    if what=='parity': return parity(to, results)
    if what=='sweep': return sweep(name, path, results)
    modules = [o for o in keep_float.split(',') if o]
    for o in installed(to):
        for p in [precision] if precision else get_backend(o).precisions:
            one_file(name, o, p, path, files, modules, results)
