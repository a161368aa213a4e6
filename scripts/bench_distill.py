"""What distillation costs: seconds of a step and peak memory, on a generated batch and random weights.

`python scripts/bench_distill.py [--fasterai]` writes a record of kind 'bench'. Peak memory comes first, each variant in a process of its
own. Then, in one process, every repeat times a plain step of the student, a forward pass of the teacher and a distilled step, one after the
other. The settings are those of `camvid-distilled`. `--fasterai` adds the callback of `pip install fasterai`, called as its documentation
calls it, and once more with a teacher frozen by hand."""
import json, resource, subprocess, sys, time
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path

import torch
from fastai.vision.all import DataLoaders, Learner, ProgressCallback, set_seed
from fastcore.script import call_parse

from mobiledepth.experiments import make_cbs, make_unet
from mobiledepth.losses import SegmentationCrossEntropy
from mobiledepth.records import device_name, git_commit, versions, write_record
from mobiledepth.settings import get_settings

repo = Path(__file__).resolve().parent.parent
n_classes,void = 11,255
distilled_settings,teacher_settings = map(get_settings, ('camvid-distilled', 'camvid-teacher'))

def make_teacher():
    "A network of our teacher's size."
    return make_unet(replace(teacher_settings, pretrained=False)).to(memory_format=torch.channels_last).eval()

def variant_cbs(variant, s, learn):
    "The callbacks that tell `variant` from a plain step; each has a teacher of its own."
    if variant=='plain': return []
    if variant=='ours': return make_cbs(s, make_teacher(), learn)
    if variant=='ours-float32': return make_cbs(replace(s, teacher_dtype='float32'), make_teacher(), learn)
    from fasterai.distill.all import KnowledgeDistillationCallback, SoftTarget
    return [KnowledgeDistillationCallback(make_teacher().requires_grad_(variant=='fasterai'), SoftTarget)]

def make_batch(s):
    "Pictures and labels, some of them Void, at the size of the loader."
    y = torch.randint(n_classes, (s.bs, *s.load_size))
    return torch.rand(s.bs, 3, *s.load_size), y.masked_fill_(torch.rand(y.shape)<.03, void)

def step_of(learn, batch):
    "A function that does one step of `learn` with `batch`, all callbacks included."
    learn.to_channelslast(use_amp=False)
    learn.remove_cb(ProgressCallback)
    learn.create_opt()
    learn.dl,learn.n_iter = learn.dls.train,1
    for event in ('before_fit', 'before_epoch', 'before_train'): learn(event) # as `fit` does ahead of its first batch
    return lambda: learn.one_batch(0, batch)

def loaders_of(batch):
    "Loaders of one batch."
    return DataLoaders.from_dsets(*[list(zip(*batch))]*2, bs=len(batch[0]), device=torch.device('cpu'), num_workers=0)

def make_step(variant, s):
    "A function that does one step of a new student in a fastai `Learner`."
    set_seed(0)
    batch = make_batch(s)
    learn = Learner(loaders_of(batch), make_unet(s), loss_func=SegmentationCrossEntropy(torch.ones(n_classes), void))
    learn.add_cbs(variant_cbs(variant, s, learn))
    return step_of(learn, batch)

def print_peak(step, steps):
    "Do `step` so many times and print the largest resident set of this process, in MiB."
    for _ in range(steps): step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform=='darwin' else 2**10))

def peak_in_child(variant):
    "What `print_peak` finds in a process of its own, which gets all arguments of this one."
    res = subprocess.run([sys.executable, *sys.argv, '--peak_of', variant], stdout=subprocess.PIPE, text=True)
    return int(res.stdout.split()[-1]) if not res.returncode else sys.exit(res.returncode)

def seconds(f):
    start = time.perf_counter()
    f()
    return time.perf_counter()-start

def time_steps(variants, s, repeats):
    "Seconds of every repeat, one list for each variant and one for the teacher; two repeats more come first, untimed."
    steps,teacher,(x,_) = {v:make_step(v, s) for v in variants},make_teacher(),make_batch(s)
    steps['teacher-float32'] = torch.no_grad()(lambda: teacher(x))
    half = torch.autocast('cpu', torch.bfloat16, enabled=s.teacher_dtype=='bfloat16')
    steps['teacher'] = torch.no_grad()(half(lambda: teacher(x)))
    times = [{k:seconds(f) for k,f in steps.items()} for _ in range(repeats+2)][2:]
    return {k:[t[k] for t in times] for k in steps}

def quartiles(values): return {k:round(torch.tensor(values).quantile(q).item(), 4) for k,q in dict(q1=.25, median=.5, q3=.75).items()}

@call_parse
def main(
    size:str='128x160',      # Height and width inside the student, pixels
    load_size:str='256x320', # Height and width of the batch and inside the teacher, pixels
    bs:int=8,                # Pictures a batch
    kl:float=distilled_settings.kl,   # Weight of the divergence between pixels; 0 leaves the term out
    cwd:float=distilled_settings.cwd, # Weight of the channel-wise divergence; 0 leaves the term out
    teacher_dtype:str=distilled_settings.teacher_dtype, # Precision of our teacher; fasterai's runs in float32
    repeats:int=20,          # Timed repeats
    steps:int=3,             # Steps before peak memory is read
    threads:int=1,           # Threads of PyTorch
    fasterai:bool=False,     # Measure fasterai's callback too
    out:str=None,            # File of the record; without it results/bench-distill-LOAD_SIZE.json
    peak_of:str=None,        # Only print the peak memory of this variant: plain, ours, ours-float32, fasterai or fasterai-frozen
):
    "Measure what distillation costs in seconds and memory, and write a record."
    torch.set_num_threads(threads)
    hw = lambda text: tuple(map(int, text.split('x')))
    s = replace(distilled_settings, pretrained=False, teacher='random weights', size=hw(size), load_size=hw(load_size), bs=bs,
                kl=kl, cwd=cwd, teacher_dtype=teacher_dtype)
    if peak_of: return print_peak(make_step(peak_of, s), steps)
    variants = ['plain', 'ours', 'ours-float32'] + ['fasterai', 'fasterai-frozen']*fasterai
    memory = {v:peak_in_child(v) for v in variants} # while this process is small: a child's peak starts at its parent's
    times = time_steps(variants, s, repeats)
    own = lambda v: 'teacher' if v=='ours' else 'teacher-float32' # each over a forward pass in the precision its teacher ran in
    ratios = {v:[d/(p+t) for d,p,t in zip(times[v], times['plain'], times[own(v)])] for v in variants[1:]}
    record = dict(experiment='bench-distill', kind='bench', settings=dict(asdict(s), repeats=repeats, steps=steps), commit=git_commit(repo),
                  versions=dict(versions(), **{p:metadata.version(p) for p in ['fasterai']*fasterai}), device=device_name(),
                  seconds={k:quartiles(v) for k,v in times.items()}, over_plain_and_teacher={k:quartiles(v) for k,v in ratios.items()},
                  peak_mib=memory)
    write_record(Path(out or repo/'results'/f'bench-distill-{load_size}.json'), record)
    print(json.dumps({k:record[k] for k in ('seconds', 'over_plain_and_teacher', 'peak_mib')}, indent=1))
