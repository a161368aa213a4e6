"""A trained network in every runtime: does each file compute what PyTorch does, and what does it reach on the test frames?

`python scripts/deploy.py student --name camvid-distilled --path CAMVID --files FOLDER` exports a student by every installed route in every precision, for pictures of
360x480 (rooms: 228x304, what is inside NYU's border), with 64 train frames for calibration, reports each file on the test frames through its own runtime, and leaves one record of kind 'deploy' a
file. The files stay in FOLDER, for `mobiledepth bench`. `--name nyu-student --path NYU` does the same in metres.
`python scripts/deploy.py sweep --name camvid-distilled --path CAMVID` puts each part of the network in 8 bits alone, and compares on frames of val.
`python scripts/deploy.py parity` exports three families of encoders on random weights at two sizes by every installed route, and records how far the logits are from PyTorch's."""
import json, sys, tempfile, time
from importlib.util import find_spec
from pathlib import Path

import torch
from fastai.vision.all import set_seed
from fastcore.script import call_parse
from torch import nn

from mobiledepth.data.camvid import camvid_names
from mobiledepth.data.nyu import nyu_test_dl
from mobiledepth.deploy.evaluate import evaluate_file
from mobiledepth.deploy.export import agreement, camera_pictures, export_model, get_route, routes
from mobiledepth.deploy.graph import CameraGraph, graph_meta
from mobiledepth.deploy.predictor import Predictor
from mobiledepth.deploy.sensitivity import sensitivity, sensitivity_table
from mobiledepth.depth_metrics import table_figures
from mobiledepth.evaluate import run_record
from mobiledepth.learner import load_student
from mobiledepth.models import Unet
from mobiledepth.records import git_commit, versions, write_record

repo = Path(__file__).resolve().parent.parent
packages = dict(onnx='onnxruntime', litert='litert_torch', executorch='executorch', openvino='openvino')
families = 'mobilenetv3_small_100', 'resnet18', 'convnext_atto'
sizes = (96,128),(97,131)
camera = dict(camvid=(360,480), nyu=(228,304)) # What the test frames measure
figures = dict(camvid=('miou', 'acc'), nyu=table_figures)
parts = dict(camvid=('per_class', 'per_sequence'), nyu=('by_distance',))

def installed(to): return [o for o in routes if find_spec(packages[o]) and to in ('', o)]

def frames(data, path, split):
    "The pictures of a split: files, or for rooms a loader that cuts the border off."
    if data=='nyu': return nyu_test_dl(path, size=None, bs=1, split=split, num_workers=0, device='cpu')
    return [Path(path)/'images'/f'{o}.jpg' for o in camvid_names(split)]

def facts(): return dict(commit=git_commit(repo), versions=versions())

def data_of(student, name, known):
    "The data set a student was trained on; ends with a sentence if it is not a known one."
    data = student.meta.get('data', 'camvid')
    if data not in known: sys.exit(f'{name} was trained on {data}: expected one of {", ".join(known)}')
    return data

def one_file(name, to, precision, path, files, keep_float, results):
    "Export, evaluate, record."
    route,student,started = get_route(to, f'a{routes[to]}'),load_student(name),time.time()
    data = data_of(student, name, camera)
    file = export_model(student, Path(files)/f'{name}-{precision}{route.suffix}', to, precision, frames(data, path, 'train'),
                        input_size=None if route.dynamic else camera[data], keep_float=keep_float if precision=='int8' else (), overwrite=True)
    seconds,about = round(time.time()-started),json.loads(Path(f'{file}.json').read_text())
    report,there = evaluate_file(file, path),run_record(load_student(name), repo/'results')['metrics']
    record = dict(experiment=f'deploy-{name}', kind='deploy', runtime=route.runtime, precision=precision, n_test=report['n'], metrics={k:report[k] for k in figures[data]+parts[data]},
                  of_run={k:there[k] for k in figures[data]}, input_size=about['input_size'], **{k:about[k] for k in ('shrink', 'keep_float', 'check', 'bytes', 'weights_sha256', 'file_sha256')},
                  data_fingerprint=report['data_fingerprint'], export_seconds=seconds, **facts())
    write_record(Path(results)/f'deploy-{name}-{route.runtime}-{precision}.json', record)
    main = figures[data][0]
    print(f"{file.name}: {main} {report[main]:.4f} (run {there[main]:.4f}), {about['bytes']/1e6:.1f} MB, {about['check']}", flush=True)

def shaken(name):
    "A network on random weights whose norms do something."
    set_seed(0)
    net = Unet(name, num_classes=11).eval()
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d): nn.init.uniform_(m.weight, .5, 1.5), nn.init.uniform_(m.running_mean, -.1, .1)
    return net

def parity(to, results):
    "How far the files of random networks are from PyTorch."
    rows = []
    for r in installed(to):
        for name in families:
            for size in sizes if r=='onnx' else sizes[1:]:
                net,route = shaken(name),get_route(r, f'a{routes[r]}')
                graph = CameraGraph(net, (64,96), output='logits', shrink='antialias' if route.dynamic else 'pool')
                pictures = camera_pictures(None, 4, size)
                with tempfile.TemporaryDirectory() as tmp:
                    file = Path(tmp)/f'a{route.suffix}'
                    route.write(graph, torch.tensor(pictures[0])[None], file, dict(graph_meta(graph, size), precision='float32', runtime=route.runtime))
                    found = agreement(Predictor(file), graph, pictures)
                with torch.no_grad(): largest = graph(torch.tensor(pictures[0])[None]).abs().max().item()
                rows.append(dict(runtime=route.runtime, backbone=name, picture=list(size), largest=round(largest, 3), **{k:found[k] for k in ('max_abs', 'equal')}))
                print(rows[-1], flush=True)
    write_record(Path(results)/'parity.json', dict(experiment='parity', kind='deploy', size=[64,96], rows=rows, **facts()))

@call_parse
def main(
    what:str,           # student, sweep or parity
    name:str='camvid-distilled', # As for `load_student`
    path:str=None,      # Folder of the data set
    to:str='',          # One route; empty: all that are installed
    precision:str='',   # One precision; empty: all that the route has
    keep_float:str='',  # Names of modules that int8 leaves in floats, with commas between
    files:str='files',  # Folder for the exported files
    results:str='runs', # Folder for the records
):
    "Export, prove, measure."
    if what not in ('student', 'sweep', 'parity'): sys.exit(f'{what}: expected student, sweep or parity')
    if what!='parity' and not path: sys.exit('give --path, the folder of the data set')
    torch.set_num_threads(1)
    if what=='parity': return parity(to, results)
    if what=='sweep':
        student = load_student(name)
        data_of(student, name, ['camvid']) # Shares of agreeing pixels are compared
        rows = sensitivity(student, frames('camvid', path, 'train'), frames('camvid', path, 'val'))
        write_record(Path(results)/f'sweep-{name}.json', dict(experiment=f'sweep-{name}', kind='deploy', rows=rows, **facts()))
        return print(sensitivity_table(rows))
    for r in installed(to):
        for p in [precision] if precision else get_route(r, f'a{routes[r]}').precisions:
            one_file(name, r, p, path, files, [o for o in keep_float.split(',') if o], results)
