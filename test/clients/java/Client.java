import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import java.io.File;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Works on a cluster as programs with fabric8's client do: list, watch (over WebSockets), informer,
 * create, patch, apply, delete.
 *
 * <p>java -cp 'lib/*' Client.java KUBECONFIG
 *
 * <p>Prints what it has checked; the exit status is 1 at the first thing that is not as it should.
 */
public class Client {
  private static final String NAMESPACE = "java-client";
  private static final int WAIT_TIMEOUT_S = 60;

  private static void check(String what, boolean good) {
    System.out.println((good ? "ok " : "FAILED ") + what);
    if (!good) {
      System.exit(1);
    }
  }

  private static void refused(String what, int code, Runnable request) {
    try {
      request.run();
      check(what, false);
    } catch (KubernetesClientException error) {
      check(what + " (" + error.getCode() + ")", error.getCode() == code);
    }
  }

  /** Takes events until one is the wanted one. */
  private static void waitFor(String what, BlockingQueue<String> events, String wanted)
      throws InterruptedException {
    String event;
    do {
      event = events.poll(WAIT_TIMEOUT_S, TimeUnit.SECONDS);
    } while (event != null && !event.equals(wanted));
    check(what, event != null);
  }

  private static Watcher<ConfigMap> watcher(BlockingQueue<String> events) {
    return new Watcher<>() {
      @Override
      public void eventReceived(Action action, ConfigMap object) {
        events.add(action + " " + object.getMetadata().getName());
      }

      @Override
      public void onClose(WatcherException cause) {
        events.add("closed " + cause.getMessage());
      }
    };
  }

  private static ResourceEventHandler<ConfigMap> handler(BlockingQueue<String> events) {
    return new ResourceEventHandler<>() {
      @Override
      public void onAdd(ConfigMap object) {
        events.add("added " + object.getMetadata().getName());
      }

      @Override
      public void onUpdate(ConfigMap old, ConfigMap object) {
        events.add("updated " + object.getMetadata().getName());
      }

      @Override
      public void onDelete(ConfigMap object, boolean unknown) {
        events.add("deleted " + object.getMetadata().getName());
      }
    };
  }

  private static ConfigMap configMap(String name) {
    return new ConfigMapBuilder()
        .withNewMetadata().withName(name).withNamespace(NAMESPACE).endMetadata()
        .addToData("a", "1")
        .build();
  }

  private static void objects(KubernetesClient client) throws InterruptedException {
    var maps = client.configMaps().inNamespace(NAMESPACE);
    BlockingQueue<String> events = new LinkedBlockingQueue<>();
    BlockingQueue<String> watched = new LinkedBlockingQueue<>();
    try (var informer = maps.inform(handler(events)); var watch = maps.watch(watcher(watched))) {
      ConfigMap created = maps.resource(configMap("one")).create();
      waitFor("the informer sees the new object", events, "added one");
      waitFor("the watch sees it", watched, "ADDED one");

      Resource<ConfigMap> one = maps.withName("one");
      for (PatchType type : new PatchType[] {PatchType.JSON_MERGE, PatchType.STRATEGIC_MERGE}) {
        ConfigMap patched = one.patch(
            PatchContext.of(type), "{\"metadata\":{\"labels\":{\"patched\":\"yes\"}}}");
        check("patch " + type, "yes".equals(patched.getMetadata().getLabels().get("patched")));
      }
      one.edit(object -> new ConfigMapBuilder(object).addToData("b", "2").build());
      waitFor("the informer sees the update", events, "updated one");
      waitFor("the watch sees it", watched, "MODIFIED one");
      check("the informer's store has it", informer.getStore().list().stream()
          .anyMatch(object -> object.getMetadata().getName().equals("one")));
      refused("an update of an old version is a conflict", 409,
          () -> maps.resource(created).update());
      refused("a bad name is invalid", 422, () -> maps.resource(configMap("Bad_Name")).create());
      check("list", maps.withLabel("patched", "yes").list().getItems().size() == 1);

      one.delete();
      waitFor("the informer sees the deletion", events, "deleted one");
      waitFor("the watch sees it", watched, "DELETED one");
      check("get says it is not there", one.get() == null);
    }
  }

  private static Deployment deployment(String image) {
    Map<String, String> labels = Map.of("app", "applied");
    return new DeploymentBuilder()
        .withNewMetadata().withName("applied").withNamespace(NAMESPACE).endMetadata()
        .withNewSpec()
        .withReplicas(0)
        .withNewSelector().withMatchLabels(labels).endSelector()
        .withNewTemplate()
        .withNewMetadata().withLabels(labels).endMetadata()
        .withNewSpec().addNewContainer().withName("main").withImage(image).endContainer().endSpec()
        .endTemplate()
        .endSpec()
        .build();
  }

  private static void apply(KubernetesClient client) {
    Deployment first = client.resource(deployment("a:1")).fieldManager("java").serverSideApply();
    Deployment again = client.resource(deployment("a:1")).fieldManager("java").serverSideApply();
    check("apply twice changes once",
        first.getMetadata().getGeneration().equals(again.getMetadata().getGeneration()));
    refused("another manager is in conflict", 409,
        () -> client.resource(deployment("a:2")).fieldManager("other").serverSideApply());
    Deployment forced = client.resource(deployment("a:2")).fieldManager("other")
        .forceConflicts().serverSideApply();
    check("apply with force", forced.getMetadata().getGeneration() == 2);
    client.resource(forced).delete();
    check("delete what was applied", true);
  }

  public static void main(String[] arguments) throws InterruptedException {
    Config config = Config.fromKubeconfig(new File(arguments[0]));
    try (KubernetesClient client = new KubernetesClientBuilder().withConfig(config).build()) {
      client.resource(new NamespaceBuilder().withNewMetadata().withName(NAMESPACE).endMetadata()
          .build()).create();
      check("list namespaces", !client.namespaces().list().getItems().isEmpty());
      objects(client);
      apply(client);
    }
  }
}
