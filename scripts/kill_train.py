"""Kill training at random moments and resume it: the final weights must equal those of an uninterrupted run.

`python scripts/kill_train.py` trains a small student with a teacher, augmentation and a worker process on generated
frames: once without interruption and without `ResumeTraining`, then once for each random moment, at which the process
gets SIGKILL. The remaining files must be complete, and the resumed run must have the same final weights and history as
the uninterrupted run. The script writes a record of kind 'check'; the exit status is 1 if something differs. It needs
an operating system with fork."""
import json, multiprocessing, random, sys, tempfile, time, warnings
from pathlib import Path

import torch
from fastai.vision.all import Callback, Learner, set_seed
from fastcore.script import call_parse

from mobiledepth.core import atomic_path, locked
from mobiledepth.data.camvid import camvid_dls, tiny_camvid
from mobiledepth.distill import KnowledgeDistillation
from mobiledepth.learner import unet_splitter
from mobiledepth.models import Unet, weights_sha256
from mobiledepth.resume import ResumeTraining
from mobiledepth.runs.history import EpochHistory, device_name
from mobiledepth.runs.records import git_commit, versions, write_record
from mobiledepth.segmentation.metrics import MeanIoU

repo = Path(__file__).resolve().parent.parent
settings = dict(backbone='mobilenetv3_small_050', decoder_channels=(16, 16, 16, 16), size=(32, 64), bs=2, num_workers=1,
                frames=(8, 4, 0), lr=6e-3, freeze_epochs=2, epochs=3, seed=0)
ctx = multiprocessing.get_context('fork')

def make_learner(data, s):
    "Build a run in the usual order: seed, loaders, network."
    def net(): return Unet(s['backbone'], decoder_channels=s['decoder_channels'], num_classes=11, pretrained=False)
    set_seed(s['seed'], reproducible=True)
    dls = camvid_dls(data, s['size'], s['bs'], num_workers=s['num_workers'])
    learn = Learner(dls, net(), splitter=unet_splitter, metrics=MeanIoU())
    return learn, [EpochHistory(), KnowledgeDistillation(net())]

def train(data, folder, s, resume):
    "Train in `folder`, and write the result to `end.json`."
    warnings.filterwarnings('ignore')
    started = []
    def before_train(cb): started.append(cb.epoch)
    with locked(folder/'state.pt', 'trained'):
        learn,(history,distillation) = make_learner(data, s)
        cbs = [history, distillation, Callback(before_train=before_train)]
        if resume: cbs.append(ResumeTraining(folder/'state.pt', s, dict(device=device_name(), versions=versions())))
        with learn.no_bar(), learn.no_logging():
            learn.fine_tune(s['epochs'], s['lr'], freeze_epochs=s['freeze_epochs'], cbs=cbs)
        rows = [{k:v for k,v in row.items() if k!='seconds'} for row in history.rows]
        end = dict(weights=weights_sha256(learn.model), history=rows, distillation=distillation.rows)
        with atomic_path(folder/'end.json') as tmp: tmp.write_text(json.dumps(dict(end=end, trained=len(started))))

def run(data, folder, s, resume=True, kill_after=None):
    "Train in a separate process; return the seconds, or None if it was killed."
    start = time.time()
    process = ctx.Process(target=train, args=(data, folder, s, resume))
    process.start()
    process.join(kill_after)
    process.kill()
    process.join()
    if process.exitcode==-9: return None
    if process.exitcode!=0: sys.exit(f'training: exit status {process.exitcode}')
    return time.time()-start

def result(folder): return json.loads((folder/'end.json').read_text())

def look(folder):
    "Return the state of a killed process: fit, finished epochs, other files. Raises an error if it is unreadable."
    file = folder/'state.pt'
    known = 'state.pt','.state.pt.lock'
    others = [o.name.split('.')[-1] for o in folder.iterdir() if o.name not in known] if folder.exists() else []
    if not file.exists(): return dict(fit=None, epochs_done=None, others=others)
    state = torch.load(file, weights_only=True)
    return dict(fit=len(state['fits']), epochs_done=state['epoch'], others=others)

def kill_and_resume(data, folder, s, second, undisturbed):
    "Return one row of the record; None if the run ended before `second`."
    if run(data, folder, s, kill_after=second) is not None: return None
    left = look(folder)
    run(data, folder, s)
    files = sorted(o.name for o in folder.iterdir() if not o.name.endswith('.lock'))
    resumed = result(folder)
    return dict(second=round(second, 3), **left, epochs_after=resumed['trained'],
                left_over=files!=['end.json', 'state.pt'], equal=resumed['end']==undisturbed['end'])

@call_parse
def main(
    n:int=20,      # Number of kills
    seed:int=0,    # Seed of the random moments
    out:str=None,  # File of the record; default: results/survive-train.json
):
    "Kill and resume training `n` times, compare the results, and write a record."
    torch.set_num_threads(1)
    rng = random.Random(seed)
    rows = []
    with tempfile.TemporaryDirectory() as d:
        d = Path(d)
        data = tiny_camvid(d/'camvid', n=settings['frames'], size=(48, 64))
        seconds = run(data, d/'undisturbed', settings, resume=False)
        undisturbed = result(d/'undisturbed')
        while len(rows)<n:
            row = kill_and_resume(data, d/f'run{time.time_ns()}', settings, rng.uniform(0, seconds), undisturbed)
            if row is None: continue
            rows.append(row)
            print(json.dumps(row))
    good = all(o['equal'] and not o['left_over'] for o in rows)
    file = Path(out or repo/'results'/'survive-train.json')
    write_record(file, dict(experiment='survive-train', kind='check', seed=seed, settings=settings,
        commits=[git_commit(repo)], versions=versions(), devices=[device_name()], seconds_undisturbed=round(seconds, 2),
        weights_sha256=undisturbed['end']['weights'], kills=rows, all_equal=good))
    print(f'{sum(o["equal"] for o in rows)} of {n} runs have the same weights and history as the uninterrupted run')
    if not good: sys.exit(1)
