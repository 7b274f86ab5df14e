import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openapitools.client.ApiClient;

/** Calls every operation with the generated client: java Walk URL CALLS. Prints what failed, by operation. */
public class Walk {
  private static final ObjectMapper JSON = new ApiClient().getObjectMapper();

  public static void main(String[] words) throws Exception {
    Map<String, String> failed = new LinkedHashMap<>();
    for (JsonNode call : JSON.readTree(new File(words[1]))) {
      try {
        send(words[0], call);
      } catch (InvocationTargetException error) {
        failed.put(call.get("name").asText(), String.valueOf(error.getCause()));
      }
    }
    System.out.println(JSON.writeValueAsString(failed));
  }

  private static void send(String url, JsonNode call) throws Exception {
    ApiClient client = new ApiClient();
    client.updateBaseUri(url);
    client.setRequestInterceptor(request -> {
      request.setHeader("X-API-Key", "ak_demo_owner");
      request.setHeader("X-Mock-Sandbox", call.get("sandbox").asText());
    });
    String name = "org.openapitools.client.api." + title(call.get("tag").asText()) + "Api";
    Object api = Class.forName(name).getConstructor(ApiClient.class).newInstance(client);
    Method method = shortest(api, call.get("operation").asText());
    List<Object> values = new ArrayList<>();
    for (Parameter parameter : method.getParameters()) {
      values.add(value(parameter, call));
    }
    method.invoke(api, values.toArray());
  }

  /** The overload without headers. */
  private static Method shortest(Object api, String name) throws NoSuchMethodException {
    for (Method each : api.getClass().getMethods()) {
      int last = each.getParameterCount() - 1;
      if (each.getName().equals(name) && (last < 0 || each.getParameterTypes()[last] != Map.class)) {
        return each;
      }
    }
    throw new NoSuchMethodException(name);
  }

  private static Object value(Parameter parameter, JsonNode call) throws Exception {
    if (List.class.equals(parameter.getType())) {
      File folder = Files.createTempDirectory("walk").toFile();
      return List.of(Files.writeString(new File(folder, "handbook.md").toPath(), call.get("file").asText()).toFile());
    }
    JsonNode value = call.get("values").get(parameter.getName().replaceAll("([A-Z])", "_$1").toLowerCase());
    if (parameter.getType().getSimpleName().equals(call.get("body_schema").asText())) {
      value = call.get("body");
    }
    return JSON.convertValue(value, parameter.getType());
  }

  /** Space threads as SpaceThreads. */
  private static String title(String tag) {
    StringBuilder name = new StringBuilder();
    for (String word : tag.split(" ")) {
      name.append(Character.toUpperCase(word.charAt(0))).append(word.substring(1));
    }
    return name.toString();
  }
}
