"""The queue of runs with processes that train nothing: its order, what waits, what fails, what is stopped and resumed."""
import subprocess, sys, tempfile, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent/'scripts'))
import run_queue
from mobiledepth.runs.config import experiment_settings

text = """# a comment
street-distilled 0 1
street-teacher 0 # of both

street-student 0 1
"""
code = """import sys, time; from pathlib import Path; seconds,*files = sys.argv[1:]; time.sleep(float(seconds))
for o in files: Path(o).parent.mkdir(parents=True, exist_ok=True); Path(o).write_text('{}')"""

def fake(begun, seconds=.1, failing=()):
    "In place of `start_run`: a process that only leaves the files of a run."
    def start(run, folder, tree, options=()):
        begun.append(run)
        file = run_queue.file_of(run, folder/'runs')
        files = [] if run in failing else [file, file.parent/'weights'/f'{file.stem}.safetensors']
        return subprocess.Popen([sys.executable, '-c', code, str(seconds), *map(str, files)])
    return start

def run(queue, folder, *args, **kwargs):
    "The runs that a call begins, in order, and those that fail."
    begun = []
    run_queue.start_run = fake(begun, **kwargs)
    failed = run_queue.train_all(queue, folder, folder, *args)
    return begun,failed

path = Path(tempfile.mkdtemp())
run_queue.results = path/'committed'
(path/'queue.txt').write_text(text)
blocks = run_queue.read_queue(path/'queue.txt')
distilled,teacher,student = ([(f'street-{o}', s) for s in (0, 1)] for o in ('distilled', 'teacher', 'student'))
assert blocks==[[*distilled, teacher[0]], student], blocks
queue = [o for block in blocks for o in block]
(path/'queue.txt').write_text('street-studnet 0')
try: run_queue.read_queue(path/'queue.txt')
except ValueError as e: assert 'Did you mean street-student' in str(e)
else: raise AssertionError('an unknown experiment was taken')

begun,failed = run(queue, path/'a', 1) # the distilled ones wait for their teacher
assert begun==[teacher[0], *distilled, *student] and not failed, begun
assert run(queue, path/'a', 1)==([], []) # all are finished

begun,failed = run(queue, path/'b', 2, failing=[student[0]]) # the others are trained all the same
assert failed==[student[0]] and sorted(begun)==sorted(queue), (begun, failed)
assert run(queue, path/'b', 2)==([student[0]], [])

began = time.time()
begun,_ = run(queue, path/'c', 2, .01, seconds=60) # stopped by the time limit
assert time.time()-began<20 and len(begun)==2 and not run_queue.is_finished(begun[0], path/'c/runs')
assert sorted(run(queue, path/'c', 2)[0])==sorted(queue)

record = run_queue.file_of(student[0], run_queue.results)
record.parent.mkdir(parents=True)
record.write_text('{}')
assert student[0] not in run(queue, path/'d', 1)[0] # a committed record is finished as well
print(f'{len(experiment_settings)} experiments, queue of {len(run_queue.read_queue())} blocks')
