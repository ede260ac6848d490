package dev.millpond.faults.agent;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.ProtectionDomain;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Changes classes of a service as they are loaded. Its argument: the file that names the change
 * that is armed, a seed, and any number of changes, separated by {@code ;}:
 *
 * <ul>
 *   <li>{@code halt,<class>,<method>,enter|exit,<n>}: the process halts at the n-th passage;
 *   <li>{@code fail,<class>,<method>,enter|exit,<percent>}: the call fails before or after it did
 *       its work;
 *   <li>{@code text,<class>,<text>,<other>}: one text among the class's constants is another.
 * </ul>
 */
public final class Agent {

  private static final ClassDesc STEPS = ClassDesc.of("dev.millpond.faults.agent.Steps");

  private static final MethodTypeDesc STEP =
      MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_String, ConstantDescs.CD_int);

  private Agent() {}

  /** Called by the JVM before the service's main method. */
  public static void premain(String argument, Instrumentation instrumentation) {
    List<String> parts = List.of(argument.split(";"));
    Steps.arm(Path.of(parts.get(0)), Long.parseLong(parts.get(1)));
    parts.stream()
        .skip(2)
        .map(change -> List.of(change.split(",")))
        .forEach(change -> instrumentation.addTransformer(new Transformer(change)));
  }

  private record Transformer(List<String> change) implements ClassFileTransformer {

    @Override
    public byte @Nullable [] transform(
        @Nullable ClassLoader loader,
        String name,
        @Nullable Class<?> redefined,
        @Nullable ProtectionDomain domain,
        byte[] bytes) {
      if (loader == null || !name.equals(change.get(1).replace('.', '/'))) {
        return null;
      }
      try {
        ClassFile file =
            ClassFile.of(
                ClassFile.ClassHierarchyResolverOption.of(
                    ClassHierarchyResolver.ofResourceParsing(loader)
                        .orElse(ClassHierarchyResolver.defaultResolver())));
        System.err.println("changed on purpose: " + String.join(" ", change));
        return file.transformClass(file.parse(bytes), transform(bytes));
      } catch (RuntimeException | Error broken) {
        // The JVM would go on with the class as it was, and the test would prove nothing.
        broken.printStackTrace();
        Runtime.getRuntime().halt(3);
        throw broken;
      }
    }

    private ClassTransform transform(byte[] bytes) {
      // The names of methods and the texts stand in the class as they are.
      if (!new String(bytes, StandardCharsets.ISO_8859_1).contains(change.get(2))) {
        throw new IllegalArgumentException("nothing to change: " + change);
      }
      return switch (change.get(0)) {
        case "halt", "fail" -> ClassTransform.transformingMethodBodies(this::isMeant, step());
        case "text" -> ClassTransform.transformingMethodBodies(this::replace);
        default -> throw new IllegalArgumentException(change.get(0));
      };
    }

    /** Calls the step before the method's first instruction, or before each return. */
    private CodeTransform step() {
      return change.get(3).equals("enter")
          ? new CodeTransform() {
            @Override
            public void atStart(CodeBuilder builder) {
              call(builder);
            }

            @Override
            public void accept(CodeBuilder builder, CodeElement element) {
              builder.with(element);
            }
          }
          : (builder, element) -> {
            if (element instanceof ReturnInstruction) {
              call(builder);
            }
            builder.with(element);
          };
    }

    private void call(CodeBuilder code) {
      code.ldc(String.join(",", change))
          .loadConstant(Integer.parseInt(change.get(4)))
          .invokestatic(STEPS, change.get(0), STEP);
    }

    private boolean isMeant(MethodModel method) {
      return method.methodName().equalsString(change.get(2));
    }

    private void replace(CodeBuilder builder, CodeElement element) {
      if (element instanceof ConstantInstruction.LoadConstantInstruction constant
          && constant.constantValue() instanceof String text
          && text.contains(change.get(2))) {
        builder.ldc(text.replace(change.get(2), change.get(3)));
      } else {
        builder.with(element);
      }
    }
  }
}
