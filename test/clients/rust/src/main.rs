//! Works on a cluster as programs with the `kube` crate do: list, watcher, create, patch, apply,
//! delete.
//!
//!     rust_client KUBECONFIG
//!
//! Prints what it has checked; the exit status is not 0 at the first thing that is not as it should.
use std::{collections::BTreeMap, pin::pin, time::Duration};

use futures::{Stream, TryStreamExt};
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Namespace},
};
use kube::{
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams},
    config::{KubeConfigOptions, Kubeconfig},
    runtime::{reflector, watcher, WatchStreamExt},
    Api, Client, Config, ResourceExt,
};
use serde_json::json;

type Failure = Box<dyn std::error::Error>;

const NAMESPACE: &str = "rust-client";
const WAIT_TIMEOUT: Duration = Duration::from_secs(60);

fn check(what: &str, good: bool) -> Result<(), Failure> {
    println!("{} {what}", if good { "ok" } else { "FAILED" });
    if good { Ok(()) } else { Err(what.into()) }
}

/// Whether the server refused with this code.
fn refused<T>(result: kube::Result<T>, code: u16) -> bool {
    matches!(result, Err(kube::Error::Api(status)) if status.code == code)
}

/// Reads events until one fits.
async fn wait_for<E, F>(what: &str, events: &mut E, fits: F) -> Result<(), Failure>
where
    E: Stream<Item = Result<watcher::Event<ConfigMap>, watcher::Error>> + Unpin,
    F: Fn(&watcher::Event<ConfigMap>) -> bool,
{
    tokio::time::timeout(WAIT_TIMEOUT, async {
        while let Some(event) = events.try_next().await? {
            if fits(&event) {
                return Ok(());
            }
        }
        Err::<(), Failure>("the stream ended".into())
    })
    .await??;
    check(what, true)
}

fn applied(name: &str, event: &watcher::Event<ConfigMap>) -> bool {
    matches!(event, watcher::Event::Apply(o) | watcher::Event::InitApply(o) if o.name_any() == name)
}

async fn objects(client: &Client) -> Result<(), Failure> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
    let (store, writer) = reflector::store();
    let stream = watcher(maps.clone(), watcher::Config::default()).reflect(writer);
    let mut events = pin!(stream);
    wait_for("a watcher starts", &mut events, |e| matches!(e, watcher::Event::InitDone)).await?;

    let mut object = ConfigMap::default();
    object.metadata.name = Some("one".into());
    object.data = Some(BTreeMap::from([("a".into(), "1".into())]));
    let created = maps.create(&PostParams::default(), &object).await?;
    wait_for("the watcher sees the new object", &mut events, |e| applied("one", e)).await?;

    let patch = json!({"metadata": {"labels": {"patched": "yes"}}});
    for kind in [Patch::Merge(&patch), Patch::Strategic(&patch)] {
        let patched = maps.patch("one", &PatchParams::default(), &kind).await?;
        check("patch", patched.labels().contains_key("patched"))?;
    }
    wait_for("the watcher sees the patch", &mut events, |e| {
        matches!(e, watcher::Event::Apply(o) if o.labels().contains_key("patched"))
    })
    .await?;
    check("the store has it", store.state().iter().any(|o| o.labels().contains_key("patched")))?;
    let stale = maps.replace("one", &PostParams::default(), &created).await;
    check("a replacement of an old version is a conflict", refused(stale, 409))?;
    let listed = maps.list(&ListParams::default().labels("patched=yes")).await?;
    check("list", listed.items.len() == 1)?;

    object.metadata.name = Some("Bad_Name".into());
    let bad = maps.create(&PostParams::default(), &object).await;
    check("a bad name is invalid", refused(bad, 422))?;

    let version = listed.metadata.resource_version.unwrap_or_default();
    maps.delete("one", &DeleteParams::default()).await?;
    wait_for("the watcher sees the deletion", &mut events, |e| {
        matches!(e, watcher::Event::Delete(o) if o.name_any() == "one")
    })
    .await?;
    check("get says it is not there", refused(maps.get("one").await, 404))?;
    let mut raw = pin!(maps.watch(&WatchParams::default().timeout(10), &version).await?);
    let event = tokio::time::timeout(WAIT_TIMEOUT, raw.try_next()).await??;
    check("a watch from then on", matches!(event, Some(WatchEvent::Deleted(_))))
}

async fn apply(client: &Client) -> Result<(), Failure> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
    let wanted = |image: &str| {
        Patch::Apply(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "applied"},
            "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "applied"}},
                "template": {"metadata": {"labels": {"app": "applied"}},
                    "spec": {"containers": [{"name": "main", "image": image}]}}}}))
    };
    let first = deployments.patch("applied", &PatchParams::apply("rust"), &wanted("a:1")).await?;
    let again = deployments.patch("applied", &PatchParams::apply("rust"), &wanted("a:1")).await?;
    check("apply twice changes once", first.metadata.generation == again.metadata.generation)?;
    let other = deployments.patch("applied", &PatchParams::apply("other"), &wanted("a:2")).await;
    check("another manager is in conflict", refused(other, 409))?;
    let force = PatchParams::apply("other").force();
    let forced = deployments.patch("applied", &force, &wanted("a:2")).await?;
    check("apply with force", forced.metadata.generation == Some(2))?;
    let scale = deployments.get_scale("applied").await?;
    check("the scale", scale.spec.and_then(|s| s.replicas).unwrap_or(0) == 0)?;
    deployments.delete("applied", &DeleteParams::background()).await?;
    check("delete what was applied", true)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let path = std::env::args().nth(1).ok_or("usage: rust_client KUBECONFIG")?;
    let kubeconfig = Kubeconfig::read_from(path)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let client = Client::try_from(config)?;
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let mut namespace = Namespace::default();
    namespace.metadata.name = Some(NAMESPACE.into());
    namespaces.create(&PostParams::default(), &namespace).await?;
    objects(&client).await?;
    apply(&client).await
}
