"""The one migration of records and of the JSON beside weights to schema 2: `python scripts/migrate_records.py`.

Settings are nested, devices and commits are lists, classes and split are named, ablations move to `results/ablations/`. Records that are older
than a setting get the default of their time, which no later default can change any more. Run once, then deleted."""
import json, sys
from pathlib import Path

from mobiledepth.data.codes import camvid_classes_of
from mobiledepth.records import write_index, write_record

repo = Path(__file__).resolve().parent.parent
renamed = dict(every='use_every', whole='full_images', keep_camera='rescale_depth')
common = dict(data='camvid', backbone='tf_efficientnet_lite0', pretrained=True, start='', full_decoder=False, backbone_indices=[], size=[128, 160],
              load_size=[], freeze_epochs=1, lr=6e-3, lr_mult=1., wd=.01, bs=8, max_scale=1., color=.3, holdout='', num_workers=1, use_every=1,
              labels='all', full_images=0.)
of_task = dict( # Defaults when the oldest records of a task were made
    segmentation=common | dict(decoder_channels=[96, 64, 48, 32], fusion='concat', min_stride=1, epochs=29, min_scale=.3),
    depth=common | dict(data='nyu', decoder_channels=[96, 64, 48], fusion='add', min_stride=4, epochs=19, min_scale=.5))
options = dict(segmentation=dict(codes='11', power=.5),
    depth=dict(rescale_depth=True, depth_range=[], loss_size=[], silog=1., silog_lam=.5, gradient=.5, normal=0., robust=0.))
terms = dict(segmentation=dict(kl=1., kl_weighted=False, T=2., cwd=3., cwd_T=4.), depth=dict(dense=1., affinity=0., feature=0.))
distill = dict(segmentation=dict(teacher='camvid-teacher', teacher_dtype='bfloat16', a=.5),
               depth=dict(teacher='nyu-teacher', teacher_dtype='float32', a=.5))
taught_size = dict(segmentation=[256, 320], depth=[192, 240])

def nested(there, task):
    "The settings of a record, nested and complete."
    there = {renamed.get(k, k): v for k,v in there.items() if k!='total_epochs'}
    if 'labelled' in there:
        n = there.pop('labelled')
        there['labels'] = 'all' if n==1 else f'every {n}'
    taught = bool(there.get('teacher'))
    if taught: there = dict(load_size=taught_size[task]) | there
    pick = lambda defaults: {k: there.pop(k, v) for k,v in defaults.items()}
    res = pick(of_task[task]) | dict(task=task, options=pick(options[task]))
    if taught: res['distill'] = pick(distill[task]) | dict(terms=pick(terms[task]))
    else:
        there.pop('teacher', None)
        res['distill'] = None
    if there: res['extra'] = there # settings of ablations whose code is in no release
    return res

def run_record(r):
    "A run's record in schema 2."
    task = r.get('task', 'segmentation')
    s = nested(r['settings'], task)
    classes = camvid_classes_of(s['options']['codes']).to_json() if task=='segmentation' else None
    return dict(schema=2, experiment=r['experiment'], recipe=r['experiment'], kind=r['kind'], task=task, seed=r['seed'], split=s['holdout'] or 'test',
                n_test=r['n_test'], metrics=r['metrics'], settings=s, total_epochs=r['settings']['total_epochs'], classes=classes,
                teacher_sha256=r.get('teacher_sha256'), start_sha256=r.get('start_sha256'), data_fingerprint=r['data_fingerprint'],
                n_train=r.get('n_train'), weights_from=r['weights_from'], weights_sha256=r['weights_sha256'], params=r['params'], macs=r['macs'],
                devices=[r['device']], commits=[r['commit']], versions=r['versions'], seconds=r['seconds'], history=r['history'])

def other_record(r):
    "Another record in schema 2: its commit and device are lists too."
    lists = {f'{k}s':[r[k]] for k in ('commit', 'device') if k in r}
    return dict(schema=2) | {k:v for k,v in r.items() if k not in ('commit', 'device')} | lists

def records():
    for f in sorted((repo/'results').glob('*.json')):
        r = json.loads(f.read_text())
        if not isinstance(r, dict) or 'experiment' not in r or r.get('schema')==2: continue
        target = f.parent/'ablations'/f.name if r.get('kind')=='ablation' else f
        write_record(target, run_record(r) if 'history' in r else other_record(r))
        if target!=f: f.unlink()
    print(write_index(repo/'results'))

unet = dict(backbone='mobilenetv3_large_100', backbone_kwargs=None, backbone_indices=None, decoder_channels=[96, 64, 48, 32], in_chans=3, num_classes=11,
            norm_layer='batchnorm2d', pretrained=False, width_mult=1., full_decoder=False, inner_size=None, fusion='concat', min_stride=1, depth_range=None)

def weights():
    for f in sorted((repo/'weights').glob('*.json')):
        w = json.loads(f.read_text())
        if w.get('format')==2: continue
        task = w.get('task', 'segmentation')
        data = w.get('data') or 'camvid'
        facts = dict(depth_range=w['depth_range']) if task=='depth' else dict(classes=camvid_classes_of(w['codes']).to_json())
        new = dict(format=2, config=unet | w['config'], weights_from=w['weights_from'], task=task, size=w['size'], data=data, **facts,
                   **{k:w[k] for k in ('experiment', 'seed', 'record')}, license=w['licence'], versions=w['versions'])
        f.write_text(json.dumps(new, indent=1))

if __name__=='__main__':
    records()
    weights()
