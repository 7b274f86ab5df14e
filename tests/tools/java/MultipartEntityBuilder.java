package org.apache.http.entity.mime;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import org.apache.http.HttpEntity;
import org.apache.http.entity.ByteArrayEntity;

/** Stand-in for httpmime, the one dependency of a generated client that openapi-generator.jar does not contain. */
public class MultipartEntityBuilder {
  private final ByteArrayOutputStream form = new ByteArrayOutputStream();

  public static MultipartEntityBuilder create() {
    return new MultipartEntityBuilder();
  }

  public MultipartEntityBuilder addBinaryBody(String name, File file) {
    try {
      String head = "--B\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\n\r\n";
      form.write(String.format(head, name, file.getName()).getBytes());
      form.write(Files.readAllBytes(file.toPath()));
      form.write("\r\n".getBytes());
      return this;
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  public HttpEntity build() {
    form.writeBytes("--B--\r\n".getBytes());
    ByteArrayEntity entity = new ByteArrayEntity(form.toByteArray());
    entity.setContentType("multipart/form-data; boundary=B");
    return entity;
  }
}
