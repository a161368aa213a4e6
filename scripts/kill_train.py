"""Kill training at random moments and resume it: it must end with the weights of an undisturbed run.

`python scripts/kill_train.py` trains a small student, with a teacher, augmentation and a worker process, on generated
frames: once undisturbed and without `ResumeTraining`, then once for each random moment, at which its process gets
SIGKILL. The files that are left must be whole, and the same run started again must end with the undisturbed run's
weights and history. Writes a record of kind 'check', and exits with 1 where something differs. The parent imports
once and forks, so it needs an operating system that can fork."""
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
    "Seed, loaders, network: the order in which a run is built."
    def net(): return Unet(s['backbone'], decoder_channels=s['decoder_channels'], num_classes=11, pretrained=False)
    set_seed(s['seed'], reproducible=True)
    dls = camvid_dls(data, s['size'], s['bs'], num_workers=s['num_workers'])
    learn = Learner(dls, net(), splitter=unet_splitter, metrics=MeanIoU())
    return learn, [EpochHistory(), KnowledgeDistillation(net())]

def train(data, folder, s, resume):
    "Train in `folder`, and write the end of the run to `end.json`."
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
    "Train in a separate process; the seconds it took, or None where it was killed before its end."
    start = time.time()
    process = ctx.Process(target=train, args=(data, folder, s, resume))
    process.start()
    process.join(kill_after)
    process.kill()
    process.join()
    if process.exitcode==-9: return None
    if process.exitcode!=0: sys.exit(f'training ended with {process.exitcode}')
    return time.time()-start

def result(folder): return json.loads((folder/'end.json').read_text())

def look(folder):
    "The state that a killed process left: fit, epochs done, and other files. Fails where it cannot be read."
    file = folder/'state.pt'
    known = 'state.pt','.state.pt.lock'
    others = [o.name.split('.')[-1] for o in folder.iterdir() if o.name not in known] if folder.exists() else []
    if not file.exists(): return dict(fit=None, epochs_done=None, others=others)
    state = torch.load(file, weights_only=True)
    return dict(fit=len(state['fits']), epochs_done=state['epoch'], others=others)

def kill_and_resume(data, folder, s, second, undisturbed):
    "One row of the record; None where the run was over before `second`."
    if run(data, folder, s, kill_after=second) is not None: return None
    left = look(folder)
    run(data, folder, s)
    files = sorted(o.name for o in folder.iterdir() if not o.name.endswith('.lock'))
    resumed = result(folder)
    return dict(second=round(second, 3), **left, epochs_after=resumed['trained'],
                left_over=files!=['end.json', 'state.pt'], equal=resumed['end']==undisturbed['end'])

@call_parse
def main(
    n:int=20,      # Kills
    seed:int=0,    # Of the moments
    out:str=None,  # File of the record; without it results/survive-train.json
):
    "Kill training `n` times, resume each, compare, and write a record."
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
    print(f'{sum(o["equal"] for o in rows)} of {n} runs ended with the weights and the history of the undisturbed one')
    if not good: sys.exit(1)
