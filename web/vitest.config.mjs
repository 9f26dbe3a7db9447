// Logic tests run in happy-dom: no page, no server.
import { defineConfig } from "vitest/config";

export default defineConfig({ test: { environment: "happy-dom", include: ["**/*.test.ts"] } });
