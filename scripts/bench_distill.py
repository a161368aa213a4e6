"""Measure time per step and peak memory of distillation, on a generated batch with random weights.

`python scripts/bench_distill.py [--fasterai]` writes a record of kind 'bench'. Peak memory is measured first, each
variant in a separate process. Then, in one process, each repeat measures a plain step of the student, a forward pass of
the teacher, and a step with distillation. The settings are those of `camvid-distilled`. `--fasterai` adds the callback
of the package fasterai, called as in its documentation, and a second time with a frozen teacher."""
import json, resource, subprocess, sys, time
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path

import torch
from fastai.vision.all import DataLoaders, Learner, ProgressCallback, set_seed
from fastcore.script import call_parse

from mobiledepth.data.codes import camvid11
from mobiledepth.models import Unet
from mobiledepth.runs.config import change_settings, get_settings
from mobiledepth.runs.experiments import make_cbs, network_options
from mobiledepth.runs.history import device_name
from mobiledepth.runs.records import git_commit, versions, write_record
from mobiledepth.segmentation.losses import SegmentationCrossEntropy

repo = Path(__file__).resolve().parent.parent
distilled_settings,teacher_settings = map(get_settings, ('camvid-distilled', 'camvid-teacher'))
terms = distilled_settings.distill.terms

def random_unet(s, num_classes):
    "Return the network of the settings with random weights."
    return Unet(s.backbone, num_classes=num_classes, pretrained=False, **network_options(s))

def frozen_unet(s, num_classes):
    "Return the network of a teacher with random weights."
    return random_unet(s, num_classes).to(memory_format=torch.channels_last).eval()

def make_teacher():
    "Return a network of the size of our teacher."
    return frozen_unet(teacher_settings, len(camvid11))

def variant_cbs(variant, s, learn):
    "Return the callbacks of `variant`, each with a separate teacher; a plain step has none."
    if variant=='plain': return []
    if variant=='ours': return make_cbs(s, make_teacher(), learn)
    if variant=='ours-float32': return make_cbs(change_settings(s, teacher_dtype='float32'), make_teacher(), learn)
    from fasterai.distill.all import KnowledgeDistillationCallback, SoftTarget
    return [KnowledgeDistillationCallback(make_teacher().requires_grad_(variant=='fasterai'), SoftTarget)]

def make_batch(s):
    "Return random images and labels, some Void, at the size of the loader."
    y = torch.randint(len(camvid11), (s.bs, *s.load_size))
    x = torch.rand(s.bs, 3, *s.load_size)
    return x, y.masked_fill_(torch.rand(y.shape)<.03, camvid11.ignore_index)

def step_of(learn, batch):
    "Return a function that runs one training step of `learn` on `batch`, including all callbacks."
    learn.to_channelslast(use_amp=False)
    learn.remove_cb(ProgressCallback)
    learn.create_opt()
    learn.dl,learn.n_iter = learn.dls.train,1
    for event in ('before_fit', 'before_epoch', 'before_train'): learn(event) # as `fit` does before the first batch
    return lambda: learn.one_batch(0, batch)

def loaders_of(batch):
    "Return loaders with one batch."
    items = list(zip(*batch))
    return DataLoaders.from_dsets(items, items, bs=len(batch[0]), device=torch.device('cpu'), num_workers=0)

def make_step(variant, s):
    "Return a function that runs one training step of a new student in a fastai `Learner`."
    set_seed(0)
    batch = make_batch(s)
    dls = loaders_of(batch)
    dls.task,dls.classes = s.task,camvid11
    loss = SegmentationCrossEntropy(torch.ones(len(camvid11)), camvid11.ignore_index)
    learn = Learner(dls, random_unet(s, len(camvid11)), loss_func=loss)
    learn.add_cbs(variant_cbs(variant, s, learn))
    return step_of(learn, batch)

def print_peak(step, steps):
    "Run `step` several times and print the peak resident memory of this process in MiB."
    for _ in range(steps): step()
    kib = 2**10 if sys.platform=='darwin' else 1
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (kib*2**10))

def peak_in_child(variant):
    "Return the result of `print_peak` in a separate process with the same arguments."
    res = subprocess.run([sys.executable, *sys.argv, '--peak_of', variant], stdout=subprocess.PIPE, text=True)
    return int(res.stdout.split()[-1]) if not res.returncode else sys.exit(res.returncode)

def seconds(f):
    start = time.perf_counter()
    f()
    return time.perf_counter()-start

def time_steps(steps, repeats):
    "Return the seconds of every repeat, one list for each of `steps`, after two warm-up repeats."
    times = [{k: seconds(f) for k,f in steps.items()} for _ in range(repeats+2)][2:]
    return {k: [t[k] for t in times] for k in steps}

def all_steps(variants, s):
    "Return the measured functions: a step of each variant, and the teacher's forward pass in both precisions."
    steps = {v: make_step(v, s) for v in variants}
    teacher,(x,_) = make_teacher(),make_batch(s)
    half = torch.autocast('cpu', torch.bfloat16, enabled=s.distill.teacher_dtype=='bfloat16')
    steps['teacher-float32'] = torch.no_grad()(lambda: teacher(x))
    steps['teacher'] = torch.no_grad()(half(lambda: teacher(x)))
    return steps

def quartiles(values):
    "Return first quartile, median and third quartile."
    return {k: round(torch.tensor(values).quantile(q).item(), 4) for k,q in dict(q1=.25, median=.5, q3=.75).items()}

@call_parse
def main(
    size:str='128x160',      # Height and width of the student's input, pixels
    load_size:str='256x320', # Height and width of the batch and of the teacher's input, pixels
    bs:int=8,                # Batch size
    kl:float=terms.kl,       # Weight of the per-pixel KL divergence; 0 removes the term
    cwd:float=terms.cwd,     # Weight of the channel-wise divergence; 0 removes the term
    teacher_dtype:str=distilled_settings.distill.teacher_dtype, # Data type of our teacher
    repeats:int=20,          # Number of measured repeats
    steps:int=3,             # Number of steps before peak memory is read
    threads:int=1,           # Number of threads of PyTorch
    fasterai:bool=False,     # Also measure fasterai's callback
    out:str=None,            # File of the record; default: results/bench-distill-LOAD_SIZE.json
    peak_of:str=None,        # Only print the peak memory of this variant, such as plain, ours or fasterai-frozen
):
    "Measure time and memory of distillation, and write a record."
    torch.set_num_threads(threads)
    hw = lambda text: tuple(map(int, text.split('x')))
    s = change_settings(replace(distilled_settings, pretrained=False), teacher='random weights', size=hw(size),
                        load_size=hw(load_size), bs=bs, kl=kl, cwd=cwd, teacher_dtype=teacher_dtype)
    if peak_of: return print_peak(make_step(peak_of, s), steps)
    variants = ['plain', 'ours', 'ours-float32'] + ['fasterai', 'fasterai-frozen']*fasterai
    # first, while this process is small: the peak of a child starts at that of its parent
    memory = {v: peak_in_child(v) for v in variants}
    times = time_steps(all_steps(variants, s), repeats)
    own = lambda v: 'teacher' if v=='ours' else 'teacher-float32' # the forward pass in the precision of the teacher
    ratios = {v: [d/(p+t) for d,p,t in zip(times[v], times['plain'], times[own(v)])] for v in variants[1:]}
    packages = versions() | {p: metadata.version(p) for p in ['fasterai']*fasterai}
    record = dict(experiment='bench-distill', kind='bench', settings=dict(asdict(s), repeats=repeats, steps=steps),
                  commits=[git_commit(repo)], versions=packages, devices=[device_name()],
                  seconds={k: quartiles(v) for k,v in times.items()},
                  over_plain_and_teacher={k: quartiles(v) for k,v in ratios.items()}, peak_mib=memory)
    write_record(Path(out or repo/'results'/f'bench-distill-{load_size}.json'), record)
    print(json.dumps({k: record[k] for k in ('seconds', 'over_plain_and_teacher', 'peak_mib')}, indent=1))
