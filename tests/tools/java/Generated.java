package javax.annotation;

/** Stand-in for the annotation of generated classes, which no JDK has since version 11. */
public @interface Generated {
  String[] value();

  String comments() default "";
}
