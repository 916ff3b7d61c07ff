# Builds with everything, runs with little: no compiler, no Prisma CLI, no embedded database in the image that is left.

FROM node:24-bookworm-slim AS build
WORKDIR /larder
COPY package.json package-lock.json .npmrc ./
# The image's own Node does for the one in the lock file, and no script of a package is needed.
RUN npm ci --ignore-scripts
COPY prisma.config.mjs nest-cli.json tsconfig.json tsconfig.build.json ./
COPY prisma prisma
COPY src src
RUN npm run build

FROM node:24-bookworm-slim AS dependencies
WORKDIR /larder
COPY package.json package-lock.json .npmrc ./
# Optional and peer: @prisma/client names the Prisma CLI and TypeScript as such, which are for building.
RUN npm ci --omit=dev --omit=optional --omit=peer --ignore-scripts \
  && find node_modules/@prisma/client/runtime \
       \( -name '*mysql*' -o -name '*sqlite*' -o -name '*sqlserver*' -o -name '*cockroachdb*' \) -delete \
  && find node_modules -name '*.map' -delete

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /larder
COPY package.json LICENSE ./
COPY prisma/migrations prisma/migrations
COPY --from=dependencies /larder/node_modules node_modules
COPY --from=build /larder/dist dist
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node itself is the process that gets SIGTERM, and drains.
CMD ["node", "--enable-source-maps", "dist/main.js"]
