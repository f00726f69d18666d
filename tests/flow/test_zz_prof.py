import time
from tests.flow.test_interruptions import *
from tests.flow.conftest import *
def test_x(large):
    large.sandbox.settings(latency_ms=[0, 0])
    t=time.time(); p=start(large)
    for line in p.stderr: 
        if 'page' not in line or 'page 1:' in line or 'done' in line: print(round(time.time()-t,2), line.strip()[:150])
    print(time.time()-t, "calls")
    t=time.time(); print(fetched(large)); print('fetched', time.time()-t)
    t=time.time(); c=large.pull("contacts", full=True); print('full', time.time()-t, c)
    large.sandbox.settings(max_page_size=1000)
    t=time.time(); c=large.pull("contacts", full=True); print('full', time.time()-t, c)
    t=time.time(); large.sandbox.truth("Contacts"); print('truth', time.time()-t)
    t=time.time(); large.rows("contact"); print('rows', time.time()-t)
