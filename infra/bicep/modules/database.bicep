metadata description = 'PostgreSQL for tenants, agents, numbers, calls and transcripts; signed in to with Entra tokens only.'

param name string
param databaseName string
param location string
param tags object
param workspaceId string

@description('Who runs the migrations: object id of the Entra administrator.')
param administratorId string

@description('Sign-in name of the administrator: the user principal name of a person, the display name of a service principal.')
param administratorName string

@allowed(['User', 'Group', 'ServicePrincipal'])
param administratorType string

@description('Public IPv4 address from which the migrations are run; empty for none.')
param administratorAddress string

param skuName string
@allowed(['Burstable', 'GeneralPurpose', 'MemoryOptimized'])
param skuTier string

@minValue(7)
@maxValue(35)
param backupDays int

@description('Keep backups in the paired region too; can only be chosen when the server is created.')
param geoBackup bool

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: skuName, tier: skuTier }
  properties: {
    version: '17'
    authConfig: {
      activeDirectoryAuth: 'Enabled'
      passwordAuth: 'Disabled'
      tenantId: tenant().tenantId
    }
    storage: { storageSizeGB: 32, autoGrow: 'Enabled' }
    backup: { backupRetentionDays: backupDays, geoRedundantBackup: geoBackup ? 'Enabled' : 'Disabled' }
    highAvailability: { mode: 'Disabled' }
    network: { publicNetworkAccess: 'Enabled' }
  }
}

// The server takes one change at a time, hence the chain of dependsOn from here on.
resource administrator 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2025-08-01' = {
  parent: server
  name: administratorId
  properties: {
    principalName: administratorName
    principalType: administratorType
    tenantId: tenant().tenantId
  }
}

resource database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2025-08-01' = {
  parent: server
  name: databaseName
  properties: { charset: 'UTF8', collation: 'en_US.utf8' }
  dependsOn: [administrator]
}

resource tls 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2025-08-01' = {
  parent: server
  name: 'ssl_min_protocol_version'
  properties: { value: 'TLSv1.2', source: 'user-override' }
  dependsOn: [database]
}

resource encrypted 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2025-08-01' = {
  parent: server
  name: 'require_secure_transport'
  properties: { value: 'on', source: 'user-override' }
  dependsOn: [tls]
}

// 0.0.0.0 stands for addresses of Azure itself: the app has no fixed one on this plan.
resource fromAzure 'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2025-08-01' = {
  parent: server
  name: 'azure'
  properties: { startIpAddress: '0.0.0.0', endIpAddress: '0.0.0.0' }
  dependsOn: [encrypted]
}

resource fromAdministrator 'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2025-08-01' = if (!empty(administratorAddress)) {
  parent: server
  name: 'administrator'
  properties: { startIpAddress: administratorAddress, endIpAddress: administratorAddress }
  dependsOn: [fromAzure]
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: server
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'PostgreSQLLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output host string = server.properties.fullyQualifiedDomainName
output databaseName string = database.name
