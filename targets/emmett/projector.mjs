// The projector: Emmett's consumer with one projector, until SIGTERM or SIGINT. One whose consumer ended, or could not
// start, is started again after a second in a new process, as a service manager would.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { addProjector, openPool, openStore } from './store.mjs';

const PAUSE_MS = 1000;

async function project() {
  const pool = openPool();
  const consumer = openStore(pool).consumer();
  addProjector(consumer, pool);
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'])
    process.on(signal, async () => {
      stopping = true;
      await consumer.stop().catch((error) => console.log(`while stopping: ${error.message}`));
      await pool.end();
      process.exit(0);
    });
  await consumer.start();
  if (!stopping) throw new Error('the consumer ended');
}

function supervise() {
  let child;
  let stopping = false;
  const start = () => {
    if (stopping) process.exit(0);
    child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'project'], { stdio: 'inherit' });
    child.on('exit', (code) => {
      if (stopping) process.exit(code ?? 0);
      setTimeout(start, PAUSE_MS);
    });
  };
  for (const signal of ['SIGTERM', 'SIGINT'])
    process.on(signal, () => {
      stopping = true;
      // Between two children there is nobody to wait for.
      if (child.exitCode !== null || !child.kill('SIGTERM')) process.exit(0);
    });
  start();
}

if (process.argv[2] === 'project') {
  await project().catch((error) => {
    console.log(`the projector ended: ${error.message}`);
    process.exit(1);
  });
} else {
  supervise();
}
