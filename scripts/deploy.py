"""Export a trained network with every backend, compare each file with PyTorch, and evaluate it on the test frames.

`python scripts/deploy.py student --name camvid-distilled --path CAMVID --files FOLDER` exports a pretrained model with
every installed backend in every precision, for images of 360x480 (NYU: 228x304, the area inside its border), with 64
training frames for calibration. It evaluates each file on the test frames with its runtime, and writes one record of
kind 'deploy' for each file. The files remain in FOLDER, for `mobiledepth bench`. `--name nyu-student --path NYU` does
the same for depth.
`python scripts/deploy.py sweep --name camvid-distilled --path CAMVID` measures per-layer int8 sensitivity on frames of
the validation set.
`python scripts/deploy.py parity` exports three encoder families with random weights at two sizes with every installed
backend, and records the differences of the logits from PyTorch."""
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
parts = dict(camvid=('per_class', 'per_sequence'), nyu=('by_distance',)) # Keys of a report, besides the task's metrics

def installed(to):
    "Return the names of the installed backends, or only `to` if it is not empty."
    return [o for o in backends if find_spec(packages[o]) and to in ('', o)]

def frames(data, path, split):
    "Return the images of a split: files, or for NYU a loader that crops the border."
    if data=='nyu': return nyu_test_dl(path, size=None, bs=1, split=split, num_workers=0, device='cpu')
    return [Path(path)/'images'/f'{o}.jpg' for o in camvid_names(split)]

def facts(): return dict(commits=[git_commit(repo)], versions=versions())

def data_of(student, name, known):
    "Return the training data set of a model; exits with a message if it is not in `known`."
    data = student.meta['data']
    if data not in known: sys.exit(f'{name} was trained on {data}: expected one of {", ".join(known)}')
    return data

def one_file(name, to, precision, path, files, keep_float, results):
    "Export one file, evaluate it, and write a record."
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
    "Return a network with random weights, including those of batch norm."
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
    "Compare the file of one random network with PyTorch."
    net,backend = shaken(name),get_backend(to)
    graph = CameraGraph(net, (64,96), output='logits', shrink='antialias' if backend.dynamic else 'pool')
    images = camera_images(None, 4, size)
    example = torch.tensor(images[0])[None]
    with tempfile.TemporaryDirectory() as tmp:
        file = Path(tmp)/f'a{backend.suffix}'
        meta = dict(graph_meta(graph, size), precision='float32', runtime=backend.runtime)
        backend.writer('float32')(graph, example, file, meta)
        found = agreement(Predictor(file), graph, images)
    with torch.no_grad(): largest = graph(example).abs().max().item()
    return dict(runtime=backend.runtime, backbone=name, picture=list(size), largest=round(largest, 3),
                max_abs=found['max_abs'], equal=found['equal'])

def parity(to, results):
    "Compare the files of random networks with PyTorch, and write a record."
    rows = []
    for o in installed(to):
        for name in families:
            for size in sizes if o=='onnx' else sizes[1:]:
                rows.append(parity_row(o, name, size))
                print(rows[-1], flush=True)
    record = dict(experiment='parity', kind='deploy', size=[64,96], rows=rows, **facts())
    write_record(Path(results)/'parity.json', record)

def sweep(name, path, results):
    "Measure per-layer int8 sensitivity, and write a record."
    student = load_pretrained(name)
    data_of(student, name, ['camvid']) # the sensitivity is the share of changed pixels
    rows = sensitivity(student, frames('camvid', path, 'train'), frames('camvid', path, 'val'))
    record = dict(experiment=f'sweep-{name}', kind='deploy', rows=rows, **facts())
    write_record(Path(results)/f'sweep-{name}.json', record)
    print(sensitivity_table(rows))

@call_parse
def main(
    what:str,           # Action: student, sweep or parity
    name:str='camvid-distilled', # Name for `load_pretrained`
    path:str=None,      # Folder of the data set
    to:str='',          # Export backend; empty: all installed backends
    precision:str='',   # Precision; empty: all precisions of the backend
    keep_float:str='',  # Names of modules to keep in floating point with int8, separated by commas
    files:str='files',  # Folder for the exported files
    results:str='runs', # Folder for the records
):
    "Export and evaluate a model, measure int8 sensitivity, or compare backends with PyTorch."
    if what not in ('student', 'sweep', 'parity'): sys.exit(f'{what}: expected student, sweep or parity')
    if what!='parity' and not path: sys.exit('missing --path: give the folder of the data set')
    torch.set_num_threads(1)
    if what=='parity': return parity(to, results)
    if what=='sweep': return sweep(name, path, results)
    modules = [o for o in keep_float.split(',') if o]
    for o in installed(to):
        for p in [precision] if precision else get_backend(o).precisions:
            one_file(name, o, p, path, files, modules, results)
