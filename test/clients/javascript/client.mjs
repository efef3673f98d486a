// Works on a cluster as programs with @kubernetes/client-node do: list, informer, create, patch,
// apply, delete.
//
//   node client.mjs KUBECONFIG
//
// Prints what it has checked; the exit status is 1 at the first thing that is not as it should.
import assert from 'node:assert/strict';
import * as k8s from '@kubernetes/client-node';

const NAMESPACE = 'javascript-client';
const WAIT_TIMEOUT_MS = 60_000;
const { MergePatch, StrategicMergePatch, JsonPatch, ServerSideApply } = k8s.PatchStrategy;

const config = new k8s.KubeConfig();
config.loadFromFile(process.argv[2]);
const core = config.makeApiClient(k8s.CoreV1Api);
const apps = config.makeApiClient(k8s.AppsV1Api);
const objects = k8s.KubernetesObjectApi.makeApiClient(config);

async function check(what, promise) {
  try {
    const result = await promise;
    console.log(`ok ${what}`);
    return result;
  } catch (error) {
    console.log(`FAILED ${what}: ${error.message}`);
    process.exit(1);
  }
}

const patchWith = (type) => k8s.setHeaderOptions('Content-Type', type);

async function refused(code, promise) {
  await assert.rejects(promise, (error) => error.code === code);
}

// The events of an informer as lines "add NAME"; next(line) waits for one.
function collect(informer) {
  const seen = [];
  let wake = () => {};
  for (const verb of ['add', 'update', 'delete']) {
    informer.on(verb, (object) => {
      seen.push(`${verb} ${object.metadata.name}`);
      wake();
    });
  }
  return async function next(line) {
    const deadline = AbortSignal.timeout(WAIT_TIMEOUT_MS);
    while (!seen.includes(line)) {
      await new Promise((resolve, reject) => {
        wake = resolve;
        deadline.onabort = () => reject(new Error(`no "${line}" in ${JSON.stringify(seen)}`));
      });
    }
  };
}

function deployment(image) {
  const labels = { app: 'applied' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'applied', namespace: NAMESPACE, labels },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image }] } },
    },
  };
}

await check('create a namespace', core.createNamespace({ body: { metadata: { name: NAMESPACE } } }));
const names = (await check('list', core.listNamespace())).items.map((item) => item.metadata.name);
assert(names.includes(NAMESPACE) && names.includes('default'));

const path = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
const informer = k8s.makeInformer(config, path,
  () => core.listNamespacedConfigMap({ namespace: NAMESPACE }));
const event = collect(informer);
await check('an informer starts', informer.start());

const one = { namespace: NAMESPACE, name: 'one' };
const created = await check('create', core.createNamespacedConfigMap({
  namespace: NAMESPACE, body: { metadata: { name: 'one' }, data: { a: '1' } } }));
await check('the informer sees it', event('add one'));
assert(created.metadata.creationTimestamp instanceof Date);

for (const type of [MergePatch, StrategicMergePatch]) {
  const patched = await check(`patch with ${type}`, core.patchNamespacedConfigMap(
    { ...one, body: { metadata: { labels: { patched: 'yes' } } } }, patchWith(type)));
  assert.equal(patched.metadata.labels.patched, 'yes');
}
const reduced = await check('JSON patch', core.patchNamespacedConfigMap(
  { ...one, body: [{ op: 'remove', path: '/data/a' }] }, patchWith(JsonPatch)));
assert.equal(reduced.data, undefined);
await check('the informer sees the patches', event('update one'));

await check('an update of an old version is a conflict', refused(409,
  core.replaceNamespacedConfigMap({ ...one, body: created })));
await check('a bad name is invalid', refused(422, core.createNamespacedConfigMap({
  namespace: NAMESPACE, body: { metadata: { name: 'Bad_Name' } } })));

const apply = (body, manager, force) => objects.patch(
  body, undefined, undefined, manager, force, ServerSideApply);
const applied = await check('apply creates', apply(deployment('registry.example/app:1'), 'js'));
const again = await check('apply again', apply(deployment('registry.example/app:1'), 'js'));
assert.equal(again.metadata.generation, applied.metadata.generation);
await check('another manager is in conflict', refused(409,
  apply(deployment('registry.example/app:2'), 'other', false)));
const forced = await check('apply with force', apply(deployment('registry.example/app:2'), 'other', true));
assert.equal(forced.spec.template.spec.containers[0].image, 'registry.example/app:2');
const scale = await check('read the scale', apps.readNamespacedDeploymentScale(
  { namespace: NAMESPACE, name: 'applied' }));
assert.equal(scale.spec.replicas ?? 0, 0);
await check('delete what was applied', objects.delete(deployment('')));

await check('delete', core.deleteNamespacedConfigMap(one));
await check('the informer sees the deletion', event('delete one'));
assert.equal(informer.get('one', NAMESPACE), undefined);
await check('get says it is not there', refused(404, core.readNamespacedConfigMap(one)));
await informer.stop();
