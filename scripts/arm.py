"""A LiteRT file on an emulated Cortex-A72, the Raspberry Pi 4's core: does it give there what it gives here?

    python scripts/arm.py student.tflite student-int8.tflite --pictures FOLDER [--n 4] [--out results/arm-litert.json]

A copy of mobiledepth/deploy/predictor.py and nothing else of ours runs the same images here and under QEMU; exit
status 1 where too few pixels agree. It shows that the file computes the right thing on ARM, and nothing about latency:
emulated time means nothing and is not kept.

Runs on x86 Linux with Debian's tools. What root installs once, on Debian 12 (later ones need the last line without
`-t`):

    echo 'deb http://deb.debian.org/debian bookworm-backports main' > /etc/apt/sources.list.d/backports.list
    apt-get update
    apt-get install --no-install-recommends -t bookworm-backports qemu-user

That is qemu-aarch64 10.0. Debian 12's own, 7.2, crashes in LiteRT; 8 and 9 are let through untried. All else needs no
root and leaves the system alone: apt-get, with lists and folders of its own, fetches an ARM Python 3.11 and C library
of Debian 12, which Raspberry Pi OS is built on, pip fetches the ARM wheels of the same numpy and ai-edge-litert that
run here, and both are unpacked in --work (200 MB, once).

On a real Pi: pip install ai-edge-litert, copy predictor.py and the file, and call Predictor(file)(image)."""
import hashlib, json, os, re, shutil, subprocess, sys
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from fastcore.script import Param, call_parse

from mobiledepth.data.cache import cache_dir
from mobiledepth.deploy import predictor
from mobiledepth.deploy.export import camera_pictures
from mobiledepth.records import git_commit, versions, write_record

repo,keyring = Path(__file__).resolve().parent.parent,'/usr/share/keyrings/debian-archive-keyring.gpg'
cpu,packages = 'cortex-a72',('numpy', 'ai-edge-litert')
least = dict(float32=.999, float16=.999, int8=.999) # Share of equal pixels; in int8 the last resize decides ties

apt_conf = '''APT::Architecture "arm64"; APT::Architectures { "arm64"; }; APT::Sandbox::User "";
Dir::State "FOLDER/state"; Dir::State::status "FOLDER/status"; Dir::Cache "FOLDER/cache";
Dir::Etc::sourcelist "FOLDER/sources.list"; Dir::Etc::sourceparts "-";
Dir::Etc::preferences "-"; Dir::Etc::preferencesparts "-";'''

look = '''
import json, platform, re, sys
from importlib import metadata
import numpy as np
from predictor import Predictor
file,pictures,out = sys.argv[1:]
np.save(out, Predictor(file)(np.load(pictures)))
part = re.search(r'CPU part.*(0x\\w+)', open('/proc/cpuinfo').read())
print(json.dumps(dict(machine=platform.machine(), cpu_part=part and part[1], python=platform.python_version(),
                      libc=' '.join(platform.libc_ver()),
                      **{o:metadata.version(o) for o in ('numpy', 'ai-edge-litert')})))'''

def find_qemu():
    "QEMU's program and version; ends with what to type where it is missing or too old."
    qemu = shutil.which('qemu-aarch64') or shutil.which('qemu-aarch64-static')
    text = subprocess.run([qemu, '--version'], capture_output=True, text=True).stdout if qemu else ''
    found = re.search(r'version ((\d+)\S*)', text)
    if found and int(found[2])>=8: return qemu,found[1]
    what = f'of version {found[1]}, which crashes in LiteRT' if found else 'missing'
    to_type = re.findall(r'^    (?:echo|apt-get) .*', __doc__, re.M)
    sys.exit('\n'.join([f'qemu-aarch64 is {what}: expected 8 or later. As root:', *to_type]))

def run(*command, **env):
    "Run `command` with this environment added; ends with its last words where it fails."
    words = [str(o) for o in command]
    res = subprocess.run(words, env=os.environ|env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if res.returncode: sys.exit(f'{" ".join(words)[:200]}: ended with {res.returncode}\n{res.stdout[-2000:]}')

def fetch_system(folder, mirror):
    "Unpack an ARM Python and what it needs in `folder/root`."
    apt = folder/'apt'
    for o in ('state/lists/partial', 'cache/archives/partial'): (apt/o).mkdir(parents=True)
    (apt/'status').touch()
    (apt/'sources.list').write_text(f'deb [signed-by={keyring}] {mirror} bookworm main\n')
    (apt/'apt.conf').write_text(apt_conf.replace('FOLDER', str(apt)))
    config = dict(APT_CONFIG=str(apt/'apt.conf'))
    run('apt-get', 'update', **config)
    wanted = 'python3.11', 'libstdc++6'
    run('apt-get', 'install', '-y', '--download-only', '--no-install-recommends', *wanted, **config)
    for o in sorted((apt/'cache/archives').glob('*.deb')): run('dpkg-deb', '-x', o, folder/'root')
    shutil.rmtree(apt)

def fetch_wheels(folder):
    "Unpack the ARM wheels of the `packages` that run here in `folder/wheels`."
    # bookworm's C library is 2.36
    tags = ['manylinux2014_aarch64', *(f'manylinux_2_{o}_aarch64' for o in range(17, 37))]
    run(sys.executable, '-m', 'pip', 'install', '-q', '--no-warn-conflicts', '--target', folder/'wheels',
        '--python-version', '3.11', '--only-binary=:all:', *(f'--platform={o}' for o in tags),
        *(f'{o}=={metadata.version(o)}' for o in packages))

def arm_system(work, mirror):
    "The folder with `root` and `wheels`, made when it is not there."
    done = work/'-'.join(['bookworm', *(f'{o}{metadata.version(o)}' for o in packages)])
    if done.exists(): return done
    missing = [o for o in ('apt-get', 'dpkg-deb') if not shutil.which(o)]
    if not Path(keyring).exists(): missing.append(keyring)
    if missing: sys.exit(f'{", ".join(missing)} missing: run this on Debian, or on Ubuntu after '
                         '`apt-get install debian-archive-keyring`')
    work.mkdir(parents=True, exist_ok=True)
    print(f'Fetching an ARM Python to {done}', flush=True)
    with TemporaryDirectory(dir=work) as d:
        fetch_system(Path(d), mirror)
        fetch_wheels(Path(d))
        (Path(d)/'made').mkdir()
        for o in ('root', 'wheels'): (Path(d)/o).rename(Path(d)/'made'/o)
        (Path(d)/'made').rename(done)
    return done

def looked(python, path, folder, file, side):
    "What `file` predicts for the images in `folder` when this `python` runs it, and what that Python is."
    env = dict(PATH=os.environ['PATH']) # nothing else of this machine goes to the other side
    if path: env['PYTHONPATH'] = str(path)
    command = [*python, folder/'look.py', file, folder/'pictures.npy', folder/f'{side}.npy']
    res = subprocess.run([str(o) for o in command], env=env, capture_output=True, text=True)
    if res.returncode: sys.exit(f'{file}: {side} ended with {res.returncode}\n{res.stderr[-2000:]}')
    about = json.loads(res.stdout.splitlines()[-1])
    return np.load(folder/f'{side}.npy'), dict(about, xnnpack='XNNPACK' in res.stderr)

def compare(p, n, size, here, there):
    "How far the maps, or logits, of the file in `p` are from each other."
    logits = p.output=='logits'
    a,b = [o.argmax(1) if logits else o for o in (here, there)]
    differ = a!=b
    res = dict(pictures=n, size=list(size), classes=len(np.unique(a)), equal=float(1-differ.mean()),
               differ=int(differ.sum()))
    if not logits: return res
    two = np.sort(np.moveaxis(here, 1, -1)[differ], -1)[:,-2:] # the best two of each pixel whose class differs
    return res | dict(max_abs=float(np.abs(here-there).max()), largest=float(np.abs(here).max()),
                      lead=float(np.diff(two).max(initial=0)))

def both_sides(file, pictures, n, *pythons):
    "Run `file` here and on ARM: a row of the record, and what the two sides are."
    p,file = predictor.Predictor(file),Path(file).resolve()
    if p.runtime!='litert': sys.exit(f'{file}: for {p.runtime}, expected files that end in .tflite')
    x = np.stack(camera_pictures(pictures, n, p.input_size))
    with TemporaryDirectory() as d:
        d = Path(d)
        shutil.copy(predictor.__file__, d/'predictor.py')
        (d/'look.py').write_text(look)
        np.save(d/'pictures.npy', x)
        maps,sides = zip(*[looked(*o, d, file, side) for o,side in zip(pythons, ('here', 'there'))])
    about = {k:p.meta.get(k) for k in ('experiment', 'seed', 'weights_sha256', 'precision', 'output')}
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return dict(file=file.name, sha256=sha256, **about, **compare(p, len(x), x.shape[1:3], *maps)), *sides

def row_text(row):
    "A row of the record in a sentence."
    h,w = row['size']
    text = f'{row["file"]}: {row["differ"]} of {row["pictures"]*h*w} pixels differ'
    if 'max_abs' not in row: return text
    return f'{text}, logits by {row["max_abs"]:.2g} at most, the largest is {row["largest"]:.3g}'

@call_parse
def main(
    files:Param('LiteRT files, made by `mobiledepth export`', str, nargs='+'),
    pictures:str='', # Folder of images; empty: packaged streets
    n:int=4,         # How many of them
    out:str='',      # File of the record; empty: results/arm-litert.json
    work:str='',     # Folder for the ARM system; empty: in the user's cache
    mirror:str='http://deb.debian.org/debian', # Of Debian
):
    "Run files on an emulated Cortex-A72 and here, compare, and write a record."
    qemu,version = find_qemu()
    arm = arm_system(Path(work).resolve() if work else cache_dir('arm'), mirror)
    there = [qemu, '-cpu', cpu, '-L', arm/'root', arm/'root/usr/bin/python3.11'], arm/'wheels'
    rows = []
    for file in files:
        row,host,guest = both_sides(file, pictures or None, n, ([sys.executable], None), there)
        machine = guest['machine']
        if machine!='aarch64': sys.exit(f'the emulated machine is {machine}, expected aarch64')
        rows.append(row)
        print(row_text(row), flush=True)
    record = dict(experiment='arm-litert', kind='arm', files=rows, least=least, emulator=dict(qemu=version, cpu=cpu),
                  here=host, there=guest, commits=[git_commit(repo)], versions=versions())
    write_record(Path(out or repo/'results'/'arm-litert.json'), record)
    bad = [r['file'] for r in rows if r['equal']<least.get(r['precision'], .999)]
    if bad: sys.exit(f'{", ".join(bad)}: too few pixels agree')
