"""What was tried for depth on NYU, a short run each, on rooms held out of train; the 654 test frames choose nothing.

`python scripts/nyu.py NAME` trains one variant for a third of the epochs of the final runs, reports on the held-out frames and leaves a record of kind 'ablation'.
In `base` a crop's metres stay as they are; in all others the camera stays (`keep_camera`), and they differ from `camera`, or from `crop50`, in what their name says. The `kd-` ones
have the recipe of the final runs and a teacher, which must have been run before: `teacher`, or for `kd-whole-lam50` one with that recipe; `load192` has its larger batches and no teacher. With `own` the loss is taken at the student's size, not at that of the batches. In the `half` ones every second training frame hides its depth, from
`half-teacher` too: what `half-kd` learns from those frames is pseudo-labels alone; `half` has no teacher (`--seed` makes pairs of them). The record of a trial `norms` names a setting that brought nothing and is gone, `kd-a25` saw batches that were
shrunk ahead of the network, which is gone too: their commits have it. `--epochs` tells how long, `python scripts/nyu.py whole-lam50 --epochs 19` as long as the final runs."""
import sys
from dataclasses import asdict, replace

import torch
from fastcore.script import call_parse

from mobiledepth.experiments import run_settings, run_weights
from mobiledepth.settings import DistilledDepthSettings, get_settings

base = replace(get_settings('nyu-student'), epochs=7, holdout='holdout', keep_camera=False, min_scale=.3, silog_lam=.85, whole=0.)
camera = dict(keep_camera=True)
crop50 = camera | dict(min_scale=.5)
recipe = crop50 | dict(whole=.3, silog_lam=.5)
large = {k:getattr(get_settings('nyu-teacher'), k) for k in ('backbone', 'decoder_channels', 'size')}
variants = {
    'base': {},
    'camera': camera,
    'silog': camera | dict(gradient=0.),
    'normal': camera | dict(normal=1.),
    'robust': camera | dict(robust=.6),
    'bounded': camera | dict(depth_range=(500, 10500)),
    'crop50': crop50,
    'whole': crop50 | dict(whole=.3),
    'whole-lam50': recipe,
    'lam50': crop50 | dict(silog_lam=.5),
    'load192': recipe | dict(load_size=DistilledDepthSettings().load_size),
    'load192-own': recipe | dict(load_size=DistilledDepthSettings().load_size, loss_size=base.size),
    'half': recipe | dict(load_size=DistilledDepthSettings().load_size, labelled=2),
    'teacher': crop50 | large,
    'teacher-whole-lam50': recipe | large,
    'half-teacher': recipe | large | dict(labelled=2)}
distilled = { # the teacher, and what is changed
    'kd-dense': ('teacher', dict(dense=1.)),
    'kd-whole-lam50': ('teacher-whole-lam50', dict(dense=1.)),
    'kd-a25': ('teacher-whole-lam50', dict(dense=1., a=.25)),
    'kd-feature-own': ('teacher-whole-lam50', dict(dense=0., feature=1., loss_size=base.size)),
    'kd-affinity': ('teacher', dict(dense=0., affinity=10.)),
    'kd-feature': ('teacher', dict(dense=0., feature=1.)),
    'kd-feature4': ('teacher', dict(dense=0., feature=4.)),
    'kd-all': ('teacher', dict(dense=1., affinity=10., feature=1.)),
    'half-kd': ('half-teacher', dict(dense=1., labelled=2))}

def settings_of(name, results):
    "Settings of the variant called `name`."
    if name in variants: return replace(base, **variants[name])
    teacher,changed = distilled[name]
    weights = run_weights(f'nyu-{teacher}-short', replace(base, **variants[teacher]).size, 0, results)
    return DistilledDepthSettings(**asdict(base) | recipe | dict(load_size=DistilledDepthSettings().load_size, teacher=str(weights)) | changed)

@call_parse
def main(
    name:str,           # Of the variant; another word prints all names
    epochs:int=7,       # Of the second phase of `fine_tune`; the record's name tells, if it is not a short run
    seed:int=0,         # Of loaders, network and augmentation
    path:str=None,      # Folder of NYU; else $MOBILEDEPTH_DATA/nyuv2
    results:str='runs', # Folder for the record
    threads:int=1,      # Of PyTorch
):
    "Train one variant and leave its record."
    names = [*variants, *distilled]
    if name not in names: sys.exit(f'{name}: expected one of ' + ', '.join(names))
    torch.set_num_threads(threads)
    length = 'short' if epochs==base.epochs else f'{epochs+1}-epochs'
    run_settings(f'nyu-{name}-{length}', replace(settings_of(name, results), epochs=epochs), seed, path, results, 'ablation')
